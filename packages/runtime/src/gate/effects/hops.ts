/**
 * Decides where the effect of a permitted call may go on to, for example after a redirect. Each hop has facts and a
 * decision of its own, by the same policy in the same session, and a record that is durable before the effect gets the
 * answer.
 */
import assert from "node:assert/strict";
import type { HopAnswer, JsonObject, NextHop } from "@femtoclaw/capabilities";
import { type JournalEntry, redact } from "@femtoclaw/journal/live";
import { describeViolations, errorText, type Facts, LIMITS, printable } from "@femtoclaw/protocol";
import { haltOf } from "../admission/session-halt.ts";
import type { Decisions } from "../decisions.ts";
import type { Execution } from "../execution.ts";
import type { GateParts, Registered } from "../gate-parts.ts";

export interface HopParts {
  readonly decisions: Decisions;
  readonly registered: GateParts["registered"];
  readonly histories: GateParts["histories"];
  append(execution: Execution, entry: JournalEntry): Promise<unknown>;
}

interface Found {
  readonly allowed: boolean;
  readonly facts: Facts | null;
  readonly revision: string | null;
  readonly rules: readonly string[];
  readonly reason?: string;
}

/** The hops of one effect. The gate counts them, so that no chain of redirects is endless. */
export class Hops {
  readonly #execution: Execution;
  readonly #parts: HopParts;
  #hop = 0;
  #isOver = false;

  constructor(execution: Execution, parts: HopParts) {
    this.#execution = execution;
    this.#parts = parts;
  }

  /** After this call the effect may go nowhere any more, however late it asks. */
  close(): void {
    this.#isOver = true;
  }

  async goOn(next: NextHop): Promise<HopAnswer> {
    this.#hop += 1;
    // INVARIANT: I9: the number of hops is limited, so that an effect that never stops asking cannot fill the journal.
    if (this.#hop > LIMITS.hops + 1) return { ok: false, reason: "it has been told that it goes nowhere" };
    const append: HopParts["append"] = (execution, entry) => {
      // INVARIANT: I5: no record of a hop follows the outcome of its execution, even if the gate gave up on the effect
      // and it still runs.
      assert(!this.#isOver, "the effect is over");
      return this.#parts.append(execution, entry);
    };
    try {
      return await answer(this.#execution, { ...this.#parts, append }, next, this.#hop);
    } catch (error) {
      // INVARIANT: I1: the effect may not go anywhere if no record of the decision could be made.
      return { ok: false, reason: `the redirect could not be decided on: ${errorText(error)}` };
    }
  }
}

async function answer(execution: Execution, parts: HopParts, next: NextHop, hop: number): Promise<HopAnswer> {
  if (hop > LIMITS.hops) return await refuse(`the answer led on more than ${LIMITS.hops} times`);
  const { call } = execution;
  assert(call !== null, "an effect belongs to a call");
  const registered = parts.registered(call.tool);
  const { body, ...rest } = call.args as JsonObject;
  const kept = next.hasBody && body !== undefined ? { ...rest, body } : rest;
  const args: JsonObject = { ...kept, url: next.url, method: next.method, headers: next.headers };
  const obstacle = obstacleOf(execution, registered, parts.histories) ?? violationOf(registered, args);
  if (obstacle !== null) return await refuse(obstacle);
  const taken = await parts.decisions.examineHop(execution, args, hop);
  if (!taken.ok) return await refuse(taken.reason);
  await using bound = taken.bound;
  const [host] = bound.all;
  assert(host?.kind === "host", "what goes on to a URL names a host");
  // INVARIANT: I5: the decision and its record come in one turn, like those of a call.
  const { allowed, rules, revision, facts, ...denied } = parts.decisions.decideHop(execution, taken.facts.questions);
  const reason = "reason" in denied ? denied.reason : undefined;
  await record({ allowed, facts, revision, rules, ...(reason === undefined ? {} : { reason }) });
  if (allowed && !execution.abort.signal.aborted) return { ok: true, host };
  return { ok: false, reason: `the answer leads to ${shown(next.url)}: ${reason ?? "the call was stopped meanwhile"}` };

  async function refuse(why: string): Promise<HopAnswer> {
    await record({ allowed: false, facts: null, revision: null, rules: [], reason: why });
    return { ok: false, reason: `the answer leads to ${shown(next.url)}: ${why}` };
  }

  async function record(found: Found): Promise<void> {
    const { intent, actor, session, id } = execution;
    assert(intent !== null, "an effect follows its durable intent");
    const { reason } = found;
    const body = { ...found, rules: [...found.rules], intent, hop, location: shown(next.url) };
    const said = reason === undefined ? {} : { reason: printable(reason, LIMITS.reasonChars) };
    await parts.append(execution, { type: "execution.hop", actor, session, execution: id, body: { ...body, ...said } });
  }
}

/** Why the effect may go nowhere, whatever policy says; null if policy decides. */
export function obstacleOf(
  { abort, session }: Execution,
  registered: Registered | undefined,
  histories: GateParts["histories"],
): string | null {
  if (abort.signal.aborted) return "the call was stopped";
  if (registered?.enabled !== true) return "its capability was disabled meanwhile";
  return haltOf(histories, session)?.reason ?? null;
}

function violationOf(registered: Registered | undefined, args: JsonObject): string | null {
  assert(registered !== undefined, "what is disabled goes nowhere");
  const { input } = registered.validators;
  return input(args) ? null : describeViolations(input.errors ?? []);
}

// Secrets are taken out before the text is cut: half of a secret would not be recognized as one.
export const shown = (url: string): string => printable(redact(url).value, LIMITS.reasonChars);
