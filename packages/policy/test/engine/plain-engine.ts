/**
 * Decisions as the engine makes them when nothing is cut down and nothing is remembered: all rules under
 * their own identifiers, the whole context, every ancestor in its chain. What the projection is held to.
 */

import { undecided, type Verdict, verdictOf } from "../../src/decisions/decision.ts";
import { authorizationCall, type DecisionRequest } from "../../src/decisions/request.ts";
import { type Cedar, openCedar } from "../../src/engine/cedar-instance.ts";
import type { CompiledPolicy } from "../../src/index.ts";
import { ancestorsOrSelf } from "../../src/tables/canonical-path.ts";

const PLAIN = "plain";

export class PlainEngine {
  readonly #cedar: Cedar;

  private constructor(cedar: Cedar) {
    this.#cedar = cedar;
  }

  static async open(): Promise<PlainEngine> {
    return new PlainEngine((await (await openCedar())()).start());
  }

  activate({ schemaText, rules }: Pick<CompiledPolicy, "schemaText" | "rules">): void {
    const staticPolicies = Object.fromEntries(rules.map(({ id, text }) => [id, text]));
    for (const answer of [
      this.#cedar.preparseSchema(PLAIN, schemaText),
      this.#cedar.preparsePolicySet(PLAIN, { staticPolicies }),
    ]) {
      if (answer.type !== "success") throw new Error(JSON.stringify(answer.errors));
    }
  }

  /** Whether the rule is one that the engine's strict check takes without a word. */
  accepts(schemaText: string, text: string): boolean {
    const policies = { staticPolicies: { text } };
    const answer = this.#cedar.validate({ validationSettings: { mode: "strict" }, schema: schemaText, policies });
    return answer.type === "success" && [...answer.validationErrors, ...answer.validationWarnings].length === 0;
  }

  decide(request: DecisionRequest): Verdict["decision"] {
    const prepared = authorizationCall(request, { slot: PLAIN, namedPaths: new Set() });
    if (!prepared.ok) return undecided(request.capability, prepared.fault).decision;
    const { call } = prepared;
    const { question } = request;
    const chain = question.kind === "path" ? ancestorsOrSelf(question.path) : [];
    const entities = chain.map((id, depth) => ({
      uid: { type: "Path", id },
      attrs: {},
      parents: chain.slice(Math.max(0, depth - 1), depth).map((parent) => ({ type: "Path", id: parent })),
    }));
    return verdictOf(this.#cedar.statefulIsAuthorized({ ...call, entities }), request.capability).decision;
  }

  /** Whether this very context passes the schema and meets a permit, with no check of ours before it. */
  permits(capability: string, resource: { readonly type: string; readonly id: string }, facts: object): boolean {
    try {
      const answer = this.#cedar.statefulIsAuthorized({
        principal: { type: "Agent", id: "s" },
        action: { type: "Action", id: capability },
        resource,
        context: { ...facts, approved: false },
        entities: [],
        preparsedPolicySetId: PLAIN,
        preparsedSchemaName: PLAIN,
        validateRequest: true,
      });
      return answer.type === "success" && answer.response.decision === "allow";
    } catch {
      return false;
    }
  }
}
