/**
 * What must be true, kept in plain maps and counts that share nothing with the runtime: what was answered is on the
 * disk and stays there, an effect has a durable intent and happens once, and each intent ends once.
 */

import type { Reply } from "@femtoclaw/protocol";
import type { MemoryDisk } from "../in-memory/index.ts";
import { OPERATORS_NEEDED, TOOLS, type ToolName } from "./capabilities.ts";

/** A record as it lies on the disk, as far as it is looked at. */
interface Seen {
  readonly seq: number;
  readonly type: string;
  readonly boot: string;
  readonly execution: string;
  readonly actor: { readonly principal: string } | null;
  readonly body: {
    readonly event?: string;
    readonly began?: boolean;
    readonly answer?: string;
    readonly args?: { readonly request?: number };
  };
}

export interface Request {
  readonly number: number;
  /**
   * `permitted` and `asked` allow every answer that agrees with the effects, and the effect of `asked` also needs an
   * operator's approval; anything else is the one decision that may be recorded.
   */
  expected: "permitted" | "asked" | "message" | "garbage" | NonNullable<Reply["decision"]>;
}

export class Divergence extends Error {}

export class Oracle {
  readonly #disk: MemoryDisk;
  readonly #bytes: Buffer[] = [];
  readonly #seen: Seen[] = [];
  readonly #intents = new Map<number, Seen>();
  readonly #effects = new Map<number, number>();
  /** The operators who approved each execution. */
  readonly #granted = new Map<string, Set<string>>();
  readonly #told: { readonly request: Request; readonly reply: Reply }[] = [];

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  get effects(): number {
    return this.#effects.size;
  }

  /** Answers that named a record. */
  get acknowledged(): number {
    return this.#told.length;
  }

  /** Executions that an operator approved. */
  get granted(): number {
    return this.#granted.size;
  }

  /** Executions that several different operators approved. */
  get agreed(): number {
    return [...this.#granted.values()].filter(({ size }) => size > 1).length;
  }

  get interrupted(): number {
    return this.#seen.filter(({ type }) => type === "execution.interrupted").length;
  }

  /** Checks I1 and I2 at the moment when an effect happens. */
  effect(tool: ToolName, request: number): void {
    this.#look();
    if (TOOLS[tool] !== "permitted" && TOOLS[tool] !== "asked")
      throw new Divergence(`I3: an effect of ${tool}, which nothing permits`);
    const intent = this.#intents.get(request);
    if (intent === undefined) throw new Divergence(`I1: the effect of request ${request} has no durable intent`);
    const yeses = this.#granted.get(intent.execution)?.size ?? 0;
    if (yeses < (OPERATORS_NEEDED[tool] ?? 0))
      throw new Divergence(`I3: request ${request} has an effect, and ${yeses} operators have said yes to it`);
    const count = (this.#effects.get(request) ?? 0) + 1;
    if (count > 1) throw new Divergence(`I2: the effect of request ${request} happens once more`);
    this.#effects.set(request, count);
  }

  /** Called when an answer arrives. */
  answer(request: Request, reply: Reply): void {
    this.#look();
    this.#judge(request, reply);
    if (reply.record === null) return;
    this.#told.push({ request, reply });
    this.#answered(request, reply);
  }

  /** Called after a start: nothing that was answered is lost, and nothing is left open. */
  restart(): void {
    for (const [seq, bytes] of this.#bytes.entries()) {
      const now = this.#disk.records[seq];
      if (now === undefined) throw new Divergence(`record ${seq} was durable and is gone`);
      if (!bytes.equals(now)) throw new Divergence(`record ${seq} has changed`);
    }
    this.#look();
    for (const { request, reply } of this.#told) this.#answered(request, reply);
    this.#endings();
  }

  /** The counters of a projection, counted independently. */
  counters(): Record<string, number> {
    const count = (is: (seen: Seen) => boolean): number => this.#seen.filter(is).length;
    const isOutcome = ({ type }: Seen): boolean => type === "execution.outcome";
    return {
      messages: count(({ type }) => type === "message.recorded"),
      completed: count((seen) => isOutcome(seen) && seen.body.event === "succeeded"),
      refused: count(({ type }) => type === "execution.refused"),
      failed: count((seen) => isOutcome(seen) && seen.body.event !== "succeeded"),
      interrupted: this.interrupted,
    };
  }

  #look(): void {
    for (let seq = this.#seen.length; seq < this.#disk.records.length; seq += 1) {
      const bytes = Buffer.from(this.#disk.records[seq] ?? []);
      const seen = JSON.parse(bytes.toString()) as Seen;
      if (seen.seq !== seq) throw new Divergence(`record ${seq} says that it is ${seen.seq}`);
      this.#bytes.push(bytes);
      this.#seen.push(seen);
      if (seen.type === "approval.answered" && seen.body.answer === "granted") this.#grant(seen);
      if (seen.type !== "execution.intent") continue;
      const request = seen.body.args?.request ?? Number.NaN;
      if (this.#intents.has(request)) throw new Divergence(`I2: request ${request} has a second intent`);
      this.#intents.set(request, seen);
    }
  }

  #grant({ execution, actor }: Seen): void {
    const yeses = this.#granted.get(execution) ?? new Set();
    this.#granted.set(execution, yeses.add(actor?.principal ?? ""));
  }

  /** Whether the request may get this answer at all. */
  #judge({ expected, number }: Request, { status, decision, record }: Reply): void {
    const effects = this.#effects.get(number) ?? 0;
    if (status === "denied" && effects > 0) throw new Divergence(`I3: request ${number} was denied, and had an effect`);
    if (status === "pending" && expected !== "asked") throw new Divergence(`request ${number} asks for no reason`);
    if (expected === "permitted" || expected === "asked") {
      if (status === "completed" && effects !== 1) throw new Divergence(`request ${number} completed without effect`);
      return;
    }
    if (effects > 0) throw new Divergence(`I3: request ${number} is ${expected}, and had an effect`);
    if (record === null) return;
    const [right, told] =
      expected === "message"
        ? ["completed", status]
        : expected === "garbage"
          ? ["error", status]
          : [expected, decision];
    if (told !== right) throw new Divergence(`I3: request ${number} was answered ${told} instead of ${right}`);
  }

  /** Checks that the record says what was answered. */
  #answered({ number }: Request, { execution_id, status, decision, record }: Reply): void {
    const seen = this.#seen[record?.seq ?? -1];
    const what = `the answer to request ${number}`;
    if (seen === undefined) throw new Divergence(`${what} names record ${record?.seq}, which is not durable`);
    if (seen.execution !== execution_id) throw new Divergence(`${what} names the record of another execution`);
    const { type, body } = seen;
    const told =
      type === "message.recorded"
        ? status === "completed" && decision === null
        : type === "execution.outcome"
          ? status === (body.event === "succeeded" ? "completed" : "error") && decision === "AUTHORIZED"
          : type === "approval.asked"
            ? status === "pending"
            : type === "execution.refused" && status !== "completed" && status !== "pending";
    if (!told) throw new Divergence(`${what} was ${status}, and its record says ${type} ${body.event}`);
  }

  /** I2: an intent has one ending: an outcome of its own boot, or an interruption by a later one. */
  #endings(): void {
    const endings = new Map<string, Seen>();
    for (const seen of this.#seen) {
      if (seen.type !== "execution.outcome" && seen.type !== "execution.interrupted") continue;
      if (endings.has(seen.execution)) throw new Divergence(`I2: execution ${seen.execution} ends a second time`);
      endings.set(seen.execution, seen);
    }
    for (const [request, intent] of this.#intents) {
      const ending = endings.get(intent.execution);
      if (ending === undefined) throw new Divergence(`I2: request ${request} has an intent and no ending`);
      if ((ending.boot === intent.boot) !== (ending.type === "execution.outcome")) {
        throw new Divergence(`I2: request ${request} ends as ${ending.type} in boot ${ending.boot}`);
      }
      const effects = this.#effects.get(request) ?? 0;
      if (ending.type === "execution.outcome" && ending.body.began !== effects > 0) {
        throw new Divergence(`the outcome of request ${request} is wrong about whether it began`);
      }
    }
    if (endings.size !== this.#intents.size) throw new Divergence("I1: an execution ends that has no intent");
  }
}
