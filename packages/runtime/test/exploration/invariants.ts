/** What has to hold in every state that an exploration reaches, and after a crash in any of them. */
import { setImmediate } from "node:timers/promises";
import { StoreReader } from "@femtoclaw/journal";
import type { Reply, TypedRecord } from "@femtoclaw/protocol";
import { replay } from "@femtoclaw/runtime";
import { type MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { type Base, copyOf } from "./base.ts";
import { idOf, type Scenario, type Trial } from "./trial.ts";

export class Violation extends Error {}

export class Invariants {
  readonly #base: Base;
  /** What recovery made of each wreck; the same bytes need no second look. */
  readonly #recovered = new Map<string, Promise<void>>();
  readonly #folded = new Map<string, Promise<string>>();
  /** What the bytes of each record say. They never change, and each state that follows is asked about them again. */
  readonly #read = new WeakMap<Uint8Array, TypedRecord>();

  constructor(base: Base) {
    this.#base = base;
  }

  /** Disks that a crash left and that were recovered from. */
  get recoveries(): number {
    return this.#recovered.size;
  }

  /** What is checked in the very moment in which it happens; a violation is kept for the explorer to find. */
  watch(trial: Trial, violations: Violation[]): void {
    trial.onEffect = (call) => {
      const durable = this.#recordsOf(trial.disk).some((record) => isIntentOf(record, call));
      if (!durable) violations.push(new Violation(`I1: the effect of call ${call} has no durable intent`));
      if (this.#isAsked(trial.disk, call) && !this.#isGranted(trial.disk, call)) {
        violations.push(new Violation(`I3: call ${call} has an effect, and no operator has said yes to it`));
      }
      if ((trial.effects.get(call) ?? 0) > 1) violations.push(new Violation(`I2: call ${call} has a second effect`));
    };
    trial.onReply = (call, reply) => {
      const violation = answerFault(this.#recordsOf(trial.disk), call, reply);
      if (violation !== null) violations.push(new Violation(violation));
    };
  }

  async check(trial: Trial, scenario: Scenario): Promise<void> {
    for (const [call, { tool }] of scenario.calls.entries()) {
      const mayPass = tool === "work" || (tool === "asked" && this.#isGranted(trial.disk, call));
      if (!mayPass && trial.effects.has(call)) throw new Violation(`I3: ${tool} had an effect`);
      if (!mayPass && trial.replies.get(call)?.decision === "AUTHORIZED") throw new Violation(`I3: ${tool} passed`);
    }
    const strayed = this.#recordsOf(trial.disk).find((record) => isStrayed(record));
    if (strayed !== undefined)
      throw new Violation(`I6: record ${strayed.seq} tells of rules that were not on trial then`);
    if (!trial.isWriting && trial.live() !== (await this.#fold(trial.disk))) {
      throw new Violation("I5: the projection that went along differs from the fold of the records");
    }
    for (const wreck of await trial.wrecks()) await this.#recover(wreck);
  }

  #recordsOf({ records }: MemoryDisk): TypedRecord[] {
    return records.map((bytes) => {
      const record = this.#read.get(bytes) ?? (JSON.parse(Buffer.from(bytes).toString("utf8")) as TypedRecord);
      this.#read.set(bytes, record);
      return record;
    });
  }

  #isAsked(disk: MemoryDisk, call: number): boolean {
    return this.#recordsOf(disk).some(({ type, execution }) => type === "approval.asked" && execution === idOf(call));
  }

  #isGranted(disk: MemoryDisk, call: number): boolean {
    const execution = idOf(call);
    return this.#recordsOf(disk).some((record) => isAnswered(record, "granted") && record.execution === execution);
  }

  async #fold(disk: MemoryDisk): Promise<string> {
    const key = keyOf(disk);
    const known = this.#folded.get(key) ?? folded(disk);
    this.#folded.set(key, known);
    return await known;
  }

  async #recover(wreck: MemoryDisk): Promise<void> {
    const key = keyOf(wreck);
    const known = this.#recovered.get(key) ?? this.#recoverAnew(wreck);
    this.#recovered.set(key, known);
    await known;
  }

  /** I2 and I5 after a crash, by the real start of the real runtime. */
  async #recoverAnew(wreck: MemoryDisk): Promise<void> {
    const stored = keyOf(wreck);
    const before = this.#recordsOf(wreck);
    const open = new Set(before.filter(({ type }) => type === "execution.intent").map(({ execution }) => execution));
    for (const { type, execution } of before) if (type === "execution.outcome") open.delete(execution);
    const answered = new Set(
      before.filter((record) => isAnswered(record, "granted")).map(({ execution }) => execution ?? ""),
    );
    for (const { type, execution } of before) {
      if (type === "execution.intent" || type === "execution.refused") answered.delete(execution ?? "");
    }
    this.#base.begun.length = 0;
    const runtime = await this.#base.start(wreck);
    // What operators had said yes to goes on by itself.
    while (runtime.status().running > 0) await setImmediate();
    const live = JSON.stringify(runtime.projection.snapshot());
    const after = this.#recordsOf(wreck);
    const fold = await folded(copyOf(wreck));
    await runtime.close();
    if (!keyOf(wreck).startsWith(`${stored}\n`)) {
      throw new Violation("a start has changed records");
    }
    const interrupted = after.filter(({ type }) => type === "execution.interrupted").map(({ execution }) => execution);
    if (interrupted.length !== open.size || !interrupted.every((execution) => open.has(execution))) {
      throw new Violation(`I2: ${[...open].join()} were open, and ${interrupted.join()} are called interrupted`);
    }
    const begun = this.#base.begun.map((call) => String(idOf(call)));
    if (begun.length !== answered.size || !begun.every((execution) => answered.has(execution))) {
      throw new Violation(`I2: ${[...answered].join()} were to go on, and ${begun.join()} did`);
    }
    if (live !== fold) throw new Violation("I5: what was recovered differs from the fold of all records");
  }
}

/** An answer that names a record names its own, which is durable and says the same. */
function answerFault(records: readonly TypedRecord[], call: number, { status, record }: Reply): string | null {
  if (record === null) return status === "error" ? null : `call ${call} is answered ${status} without a record`;
  const stored = records[record.seq];
  if (status === "pending") {
    const isQuestion = stored?.type === "approval.asked" && stored.execution === idOf(call);
    return isQuestion ? null : `I1: the answer to call ${call} names a question that is not durable`;
  }
  if (stored?.execution !== idOf(call)) return `I1: the answer to call ${call} names a record that is not durable`;
  const said = stored.type === "execution.outcome" && stored.body.event === "succeeded" ? "completed" : "not completed";
  return (status === "completed") === (said === "completed")
    ? null
    : `call ${call} is answered ${status}, recorded ${said}`;
}

/** What was on trial came and went with what was in force, and each call that was decided was decided by both. */
function isStrayed({ type, body }: TypedRecord): boolean {
  if (type !== "execution.intent" && type !== "execution.refused" && type !== "approval.asked") return false;
  // What ends a question that operators answered is not decided once more.
  if (type === "execution.refused" && body.approval !== undefined) return false;
  return body.facts !== null && (body.shadow?.revision ?? null) !== body.revision;
}

function isIntentOf(record: TypedRecord, call: number): boolean {
  return record.type === "execution.intent" && record.execution === idOf(call);
}

function isAnswered(record: TypedRecord, answer: "granted" | "refused"): boolean {
  return record.type === "approval.answered" && record.body.complete && record.body.answer === answer;
}

async function folded(disk: MemoryDisk): Promise<string> {
  const copy = copyOf(disk);
  const store = new MemoryStore(copy);
  const { size } = await store.open();
  const { projection } = await replay(new StoreReader(store, size));
  return JSON.stringify(projection.snapshot());
}

function keyOf(disk: MemoryDisk): string {
  return disk.records.map((bytes) => Buffer.from(bytes).toString("latin1")).join("\n");
}
