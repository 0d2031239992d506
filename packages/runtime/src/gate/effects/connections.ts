/**
 * Decides on connections that the programs of a permitted call open. Each host and port gets facts and a decision of
 * its own once, and a record that is durable before anything is sent. The decision and its addresses hold until the
 * call ends or a review withdraws the permission.
 */
import assert from "node:assert/strict";
import type { ConnectAnswer, Traffic } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import {
  type ExecutionOutcomeBody,
  errorText,
  type Facts,
  type HostQuestion,
  LIMITS,
  printable,
} from "@femtoclaw/protocol";
import type { Execution } from "../execution.ts";
import type { GateDecision } from "../gate-parts.ts";
import { noTraffic, recordedTraffic } from "./carried.ts";
import { type HopParts, obstacleOf, shown } from "./hops.ts";

interface Target {
  readonly location: string;
  readonly hop: number;
  readonly traffic: Traffic;
  readonly revoking: AbortController;
  /** The permitted questions, one for each program of the call; null as long as nothing is permitted. */
  permitted: readonly HostQuestion[] | null;
  answer: Promise<ConnectAnswer>;
}

type Denied = Extract<ConnectAnswer, { ok: false }>;
type Found = Omit<Extract<JournalEntry, { type: "execution.hop" }>["body"], "intent" | "hop" | "location">;

export class Connections {
  readonly #execution: Execution;
  readonly #parts: HopParts;
  readonly #targets = new Map<string, Target>();
  #isOver = false;

  constructor(execution: Execution, parts: HopParts) {
    this.#execution = execution;
    this.#parts = parts;
  }

  /** After this call nothing is decided or recorded any more, however late a program asks. */
  close(): void {
    this.#isOver = true;
    for (const { revoking } of this.#targets.values()) revoking.abort();
  }

  async connect(written: string): Promise<ConnectAnswer> {
    // Spellings of a host differ only in letter case, so one record stands for all of them.
    const key = written.toLowerCase();
    const known = this.#targets.get(key) ?? this.#add(key, written);
    // INVARIANT: I9: the number of hosts is limited, so that a program that names ever new ones cannot fill the
    // journal.
    if (known === null) return denied(`its programs have named more than ${LIMITS.connectHosts} hosts`);
    // Earlier connections to this host may have used up the budget of bytes.
    this.#review(known);
    const answer = await known.answer;
    if (!answer.ok) known.traffic.refused += 1;
    return answer;
  }

  /** Ends connections that would no longer be permitted, given the marks that the principal has by now. */
  review(): void {
    for (const target of this.#targets.values()) this.#review(target);
  }

  #review(target: Target): void {
    if (target.permitted === null || this.#isOver) return;
    const decision = this.#decide(target.permitted);
    if (decision.allowed) return;
    const refusal = denied(decision.reason, decision.rules);
    target.permitted = null;
    target.answer = Promise.resolve(refusal);
    target.revoking.abort();
    // The connections are closed even if this record fails. A journal that takes no record fails the next one too, and
    // that one is awaited.
    this.#record(target, foundBy(decision)).catch(() => undefined);
  }

  /** One entry for each host, in the order in which they were named. */
  get traffic(): NonNullable<ExecutionOutcomeBody["connections"]> {
    return [...this.#targets.values()].map(({ location, traffic }) => recordedTraffic(location, traffic));
  }

  /** Bytes sent over all connections so far, in both directions. */
  get bytes(): number {
    return [...this.#targets.values()].reduce((sum, { traffic }) => sum + traffic.bytesOut + traffic.bytesIn, 0);
  }

  #add(key: string, written: string): Target | null {
    if (this.#targets.size >= LIMITS.connectHosts) return null;
    const target: Target = {
      location: shown(written),
      hop: this.#targets.size + 1,
      traffic: noTraffic(),
      revoking: new AbortController(),
      permitted: null,
      answer: Promise.resolve(denied("it is not decided yet")),
    };
    this.#targets.set(key, target);
    target.answer = this.#answer(target, written).catch((error: unknown) => {
      // INVARIANT: I1: nothing is sent to a host if no record of the decision could be made.
      target.permitted = null;
      return denied(`it could not be decided on: ${errorText(error)}`);
    });
    return target;
  }

  async #answer(target: Target, written: string): Promise<ConnectAnswer> {
    const obstacle = this.#obstacle();
    if (obstacle !== null) return await this.#refuse(target, obstacle);
    const examined = await this.#parts.decisions.examineConnection(this.#execution, written, target.hop);
    if (!examined.ok) return await this.#refuse(target, examined.reason);
    const { questions, bound } = examined;
    // INVARIANT: I5: the decision and its record come in one turn of the event loop, like those of a call.
    const decision = this.#decide(questions);
    if (decision.allowed) target.permitted = questions;
    await this.#record(target, foundBy(decision));
    if (!decision.allowed) return denied(decision.reason, decision.rules);
    if (this.#execution.abort.signal.aborted) return denied("the call was stopped meanwhile");
    // The permission was withdrawn while its record was being written; `answer` is the refusal by now.
    if (target.permitted === null) return await target.answer;
    return { ok: true, bound, traffic: target.traffic, revoked: target.revoking.signal };
  }

  /** INVARIANT: I8: the programs of a call share one sandbox, so they may reach only what each of them is permitted. */
  #decide(questions: readonly HostQuestion[]) {
    const decisions = questions.map((question) => this.#parts.decisions.decideConnection(this.#execution, question));
    const chosen = decisions.find(({ allowed }) => !allowed) ?? decisions[0];
    assert(chosen !== undefined, "some program of the call may connect to something");
    return chosen;
  }

  #obstacle(): string | null {
    const { call } = this.#execution;
    assert(call !== null, "an effect belongs to a call");
    return obstacleOf(this.#execution, this.#parts.registered(call.tool), this.#parts.histories);
  }

  async #refuse(target: Target, reason: string): Promise<Denied> {
    await this.#record(target, { allowed: false, facts: null, revision: null, rules: [], reason });
    return denied(reason);
  }

  async #record({ hop, location }: Target, found: Found): Promise<void> {
    // INVARIANT: I5: no record of a connection follows the outcome of its execution.
    assert(!this.#isOver, "the effect is over");
    const { intent, actor, session, id } = this.#execution;
    assert(intent !== null, "an effect follows its durable intent");
    const { reason, ...rest } = found;
    const said = reason === undefined ? {} : { reason: printable(reason, LIMITS.reasonChars) };
    const body = { ...rest, ...said, intent, hop, location };
    await this.#parts.append(this.#execution, { type: "execution.hop", actor, session, execution: id, body });
  }
}

function foundBy(decision: GateDecision & { readonly facts: Facts }): Found {
  const { allowed, facts, revision, rules } = decision;
  return { allowed, facts, revision, rules: [...rules], ...(decision.allowed ? {} : { reason: decision.reason }) };
}

function denied(reason: string, rules: readonly string[] = []): Denied {
  return { ok: false, reason, rules };
}
