/**
 * The real gate, journal and projection, with every wait in the hands of the explorer: facts, each write
 * of the store, each effect, and what people do meanwhile.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { ProgramDigests, takeFacts } from "@femtoclaw/capabilities";
import { type CommitGroup, Journal, type JournalEntry, type JournalStore } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { DecisionShare } from "@femtoclaw/policy";
import type { BootId, ExecutionId, FemtoError, RecordActor, Reply, TypedRecord } from "@femtoclaw/protocol";
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import { type MemoryDisk, MemoryStore } from "@femtoclaw/testing/in-memory";
import { ActorSystem } from "../../src/actors/system.ts";
import { recover } from "../../src/boot/recovery.ts";
import { Door, newcomersShare } from "../../src/gate/admission/door.ts";
import { FairSlots } from "../../src/gate/admission/fair-slots.ts";
import { LoopTurns } from "../../src/gate/admission/loop-turns.ts";
import { refusalShare, SessionQuota } from "../../src/gate/admission/session-quota.ts";
import { Gate } from "../../src/gate/gate.ts";
import type { GateParts, OnTrial } from "../../src/gate/gate-parts.ts";
import type { WaitingCall } from "../../src/gate/questions/waiting-call.ts";
import { compileSchemas } from "../../src/gate/schemas/argument-validators.ts";
import { questionRecord } from "../../src/operators/approvals.ts";
import type { Projection } from "../../src/projection/projection.ts";
import { SessionHistories } from "../../src/projection/session-histories.ts";
import { activatedBody } from "../../src/subsystems/policy.ts";
import { call, capability, NO_OUTPUTS, NO_RELAYS, NO_TERMINALS } from "../runtime-fixture.ts";
import { type Base, copyOf, type InForce, TOOLS } from "./base.ts";

/** One call of a scenario. */
export interface Call {
  readonly tool: (typeof TOOLS)[number] | "unknown";
  /** Whether its proposer may cancel it, at any moment. */
  readonly mayCancel?: boolean;
}

/** What stands between a gate part and its real work, for variants of the gate that are wrong. */
export type Appender = (journal: Journal, entry: JournalEntry) => ReturnType<GateParts["append"]>;

export interface Scenario {
  readonly name: string;
  readonly calls: readonly Call[];
  /** Whether the operator may disable `work`, at any moment. */
  readonly mayDisable?: boolean;
  /** Whether everything may be stopped, as a runtime does that shuts down, at any moment. */
  readonly mayStop?: boolean;
  /** Whether a write may fail, with or without having been stored. */
  readonly mayFail?: boolean;
  /** Whether an operator may answer what is asked, either way, at any moment. */
  readonly mayAnswer?: boolean;
  /** Whether an operator may load a policy, at any moment, that forbids what the one before it asked about. */
  readonly maySwap?: boolean;
  /** How the gate appends; the right way without it. */
  readonly append?: Appender;
}

export type Action =
  | `${"propose" | "take facts of" | "end effect of" | "cancel" | "approve" | "refuse"} ${number}`
  | "disable"
  | "load the other policy"
  | "stop everything"
  | "store the group"
  | "fail the group"
  | "store the group and fail";

const ACTOR: RecordActor = { principal: "default", agent: null, channel: "library", delegation: null };
const SCHEMAS = compileSchemas(TOOLS.map((name) => capability(name)));
const DIGESTS = new ProgramDigests();
/** Turns in which everything that an action sets free has come to its next wait. */
const TURNS = 4;
const TO_IDLE = [
  ...["integrity.verified", "configuration.loaded", "memory.ready", "registry.ready", "policy.ready"],
  "observability.ready",
] as const;

interface Opened {
  readonly disk: MemoryDisk;
  readonly store: HeldStore;
  readonly journal: Journal;
  readonly histories: SessionHistories;
  readonly live: () => string;
  readonly onFailed: { hear: (error: FemtoError) => void };
}

export class Trial {
  readonly #base: Base;
  readonly #scenario: Scenario;
  readonly #gate: Gate;
  readonly #journal: Journal;
  readonly #histories: SessionHistories;
  readonly #store: HeldStore;
  readonly #facts = new Map<number, () => void>();
  readonly #ends = new Map<number, () => void>();
  readonly #cancelled = new Set<number>();
  readonly #quota = new SessionQuota(refusalShare(0), 0, newcomersShare(0));
  readonly #share = new DecisionShare();
  #proposed = 0;
  #enabled = true;
  #disabling = false;
  #stopped = false;
  #swap: "none" | "recording" | "done" = "none";
  /** Questions that were answered, by their sequence numbers. */
  readonly #answered = new Set<number>();
  readonly disk: MemoryDisk;
  /** How often the effect of each call began. */
  readonly effects = new Map<number, number>();
  readonly replies = new Map<number, Reply>();
  /** The projection that goes along with the journal, as text. */
  readonly live: () => string;
  /** Hears of each effect as it begins. */
  onEffect: (call: number) => void = () => undefined;
  onReply: (call: number, reply: Reply) => void = () => undefined;

  private constructor(base: Base, scenario: Scenario, { disk, store, journal, histories, live, onFailed }: Opened) {
    this.#base = base;
    this.#scenario = scenario;
    this.disk = disk;
    this.#store = store;
    this.#journal = journal;
    this.#histories = histories;
    this.live = live;
    const system = new ActorSystem({ lastState: () => undefined });
    for (const type of TO_IDLE) system.advance({ type });
    this.#gate = new Gate(this.#parts(system));
    // As the runtime does it: what cannot be recorded any more is not begun any more.
    onFailed.hear = (error) => {
      system.advance({ type: "fault", fault: { code: error.code, reason: error.message } });
      this.#gate.stopAll(error.message);
    };
  }

  static async open(base: Base, scenario: Scenario): Promise<Trial> {
    const disk = base.disk();
    const store = new HeldStore(disk);
    const onFailed: Opened["onFailed"] = { hear: () => undefined };
    let projection: Projection | null = null;
    let histories: SessionHistories | null = null;
    const folded = (): Projection => {
      assert(projection !== null, "nothing is appended before the state is back");
      return projection;
    };
    const journal = await Journal.open({
      store,
      keyring: base.keyring,
      boot: base.boot as BootId,
      clock: base.clock,
      machines: MACHINE_IDENTITIES,
      randomBytes: (bytes) => new Uint8Array(bytes),
      projector: { apply: (record) => folded().apply(record), snapshot: () => folded().snapshot() },
      onNumbered: (record) => histories?.apply(record),
      onFailed: (error) => onFailed.hear(error),
    });
    projection = (await recover(journal)).projection;
    histories = new SessionHistories(projection.sessions.state);
    const live = (): string => JSON.stringify(folded().snapshot());
    return new Trial(base, scenario, { disk, store, journal, histories, live, onFailed });
  }

  /** Everything that could happen next. */
  actions(): Action[] {
    const { calls, mayDisable = false, mayStop = false, mayFail = false } = this.#scenario;
    const { mayAnswer = false, maySwap = false } = this.#scenario;
    const mayBeCancelled = (number: number): boolean =>
      calls[number]?.mayCancel === true && !this.#cancelled.has(number) && !this.hasEnded(number);
    const asked = mayAnswer ? numbersOf(this.#questions) : [];
    const numbers = [...calls.keys()].slice(0, this.#proposed);
    return [
      ...(this.#proposed < calls.length ? [`propose ${this.#proposed}` as const] : []),
      ...[...this.#facts.keys()].map((number) => `take facts of ${number}` as const),
      ...[...this.#ends.keys()].map((number) => `end effect of ${number}` as const),
      ...numbers.filter(mayBeCancelled).map((number) => `cancel ${number}` as const),
      ...asked.flatMap((number) => [`approve ${number}`, `refuse ${number}`] as const),
      ...(maySwap && this.#swap === "none" ? (["load the other policy"] as const) : []),
      ...(mayDisable && !this.#disabling ? (["disable"] as const) : []),
      ...(mayStop && !this.#stopped ? (["stop everything"] as const) : []),
      ...(this.#store.held === null ? [] : (["store the group"] as const)),
      ...(this.#store.held === null || !mayFail ? [] : (["fail the group", "store the group and fail"] as const)),
    ];
  }

  async take(action: Action): Promise<void> {
    const number = Number(/\d+$/.exec(action)?.[0]);
    if (action === "disable") this.#disable();
    else if (action === "stop everything") this.#stop();
    else if (action === "store the group") await this.#store.release(null);
    else if (action === "fail the group") await this.#store.release("EIO");
    else if (action === "store the group and fail") await this.#store.release("unanswered");
    else if (action === "load the other policy") this.#load();
    else if (action.startsWith("approve")) this.#answer(number, "granted");
    else if (action.startsWith("refuse")) this.#answer(number, "refused");
    else if (action.startsWith("propose")) this.#propose();
    else if (action.startsWith("cancel")) this.#cancel(number);
    else if (action.startsWith("take facts")) release(this.#facts, number);
    else release(this.#ends, number);
    for (let turn = 0; turn < TURNS; turn += 1) await setImmediate();
  }

  /** What the next steps depend on: who waits for what, what is written, and what was said. */
  get state(): string {
    return JSON.stringify([
      this.#proposed,
      [...this.#facts.keys()].sort(),
      [...this.#ends.keys()].sort(),
      [...this.#cancelled].sort(),
      [this.#enabled, this.#disabling, this.#stopped, this.#gate.running, this.#swap],
      [this.#questions.map(({ seq }) => seq), [...this.#answered].sort()],
      [...this.effects].sort(),
      [...this.replies]
        .sort(([left], [right]) => left - right)
        .map(([number, { status, record }]) => [number, status, record]),
      this.onDisk,
      this.#store.held,
    ]);
  }

  /** Whether the call has its last answer; one that waits for an operator has not. */
  hasEnded(number: number): boolean {
    const status = this.replies.get(number)?.status;
    return status !== undefined && status !== "pending";
  }

  /** Whether nothing more can be expected for the call in this life: on a disk that failed, questions wait for the next. */
  isThrough(number: number): boolean {
    return this.hasEnded(number) || (this.#store.isFailed && this.replies.has(number));
  }

  /** Questions that nobody has answered yet. */
  get #questions(): readonly WaitingCall[] {
    return this.#gate.questions.open.all.filter(({ seq }) => !this.#answered.has(seq));
  }

  /** The records behind those of the base, in short. */
  get onDisk(): string[] {
    return this.disk.records.slice(this.#base.size).map(brief);
  }

  /** Whether a group is on its way, which the projection already knows of. */
  get isWriting(): boolean {
    return this.#store.held !== null || this.#store.isFailed;
  }

  /** What a crash in this moment leaves: the group on its way is there whole or not at all. */
  async wrecks(): Promise<MemoryDisk[]> {
    return await this.#store.wrecks();
  }

  #propose(): void {
    const number = this.#proposed;
    this.#proposed += 1;
    const { tool } = this.#scenario.calls[number] ?? { tool: "unknown" };
    const bytes = Buffer.from(JSON.stringify(call(tool, tool === "unknown" ? {} : { n: number })));
    const proposal = {
      session: this.#base.session,
      actor: ACTOR,
      bytes,
      quota: this.#quota,
      share: this.#share,
      door: new Door(this.#base.clock, 0),
      introduce: () => true,
    };
    const hear = (reply: Reply): void => {
      this.replies.set(number, reply);
      this.onReply(number, reply);
      if (reply.status === "pending") void this.#gate.wait(idOf(number))?.then(hear);
    };
    void this.#gate.propose(proposal).then(hear);
  }

  #answer(number: number, answer: "granted" | "refused"): void {
    const call = this.#questions.find(({ execution }) => execution === idOf(number));
    assert(call !== undefined, "only what is asked is answered");
    this.#answered.add(call.seq);
    const { seq, digest } = call;
    const said = { id: String(seq), digest, answer, scope: "once", by: "operator" } as const;
    // A runtime that stops takes no answers, and a disk that fails keeps none.
    this.#gate.questions.answer(said).catch(() => undefined);
  }

  /** As the runtime does it: the record is durable before the policy decides. */
  #load(): void {
    this.#swap = "recording";
    const body = activatedBody({ compiled: this.#base.policies.forbidding.compiled, shadow: null });
    const activated = this.#journal.append({ type: "policy.activated", session: null, execution: null, body });
    activated.then(
      () => {
        this.#swap = "done";
      },
      () => undefined,
    );
  }

  get #policy(): InForce {
    const { asking, forbidding } = this.#base.policies;
    return this.#swap === "done" ? forbidding : asking;
  }

  #cancel(number: number): void {
    this.#cancelled.add(number);
    this.#gate.cancel(this.#base.session, idOf(number));
  }

  #stop(): void {
    this.#stopped = true;
    this.#gate.stopAll("the runtime is shutting down");
  }

  /** As the runtime does it: the switch is durable before it counts. */
  #disable(): void {
    this.#disabling = true;
    const body = { name: "work" };
    const disabled = this.#journal.append({ type: "capability.disabled", session: null, execution: null, body });
    disabled.then(
      () => {
        this.#enabled = false;
      },
      () => undefined,
    );
  }

  #parts(system: ActorSystem): GateParts {
    const { authority } = this.#base.configuration;
    const slots = { slots: 8, slotsPerSession: 8, queue: 8 };
    const append = this.#scenario.append ?? ((journal, entry) => journal.append(entry));
    let ids = -1;
    return {
      clock: this.#base.clock,
      newId: () => {
        ids += 1;
        return idOf(ids);
      },
      standing: () => ({ authority, sandbox: null }),
      stages: new FairSlots(slots),
      turns: new LoopTurns(this.#base.clock),
      effects: new FairSlots(slots),
      outcomes: new FairSlots(slots),
      largeResults: new FairSlots(slots),
      admission: () => (system.phase === "idle" ? null : { code: "FEMTO_DRAINING", reason: `phase ${system.phase}` }),
      spawn: (id) => system.spawn(id),
      registered: (tool) => this.#registered(tool),
      connectionFacts: async () => ({ ok: false, reason: "nothing connects" }),
      arriving: () => null,
      absent: () => null,
      takeFacts: async (manifest, args) => {
        await this.#held(this.#facts, Number(args["n"]));
        return await takeFacts({ manifest, args, authority, sandbox: null, digests: DIGESTS });
      },
      terminals: NO_TERMINALS,
      outputs: NO_OUTPUTS,
      relays: NO_RELAYS,
      histories: this.#histories,
      decide: (request) => {
        const { compiled, engine } = this.#policy;
        return { ...engine.decideAll(request), revision: compiled.revision };
      },
      onTrial: () => onTrialBeside(this.#policy),
      append: (entry) => append(this.#journal, entry),
      resume: (id) => system.resume(id),
      evict: (id) => system.evict(id),
      approvals: this.#base.configuration.approvals,
      log: this.#journal.origin,
      question: (seq) => questionRecord(this.#journal, seq),
      isOpen: () => true,
      quota: () => new SessionQuota(refusalShare(0), 0, newcomersShare(0)),
      lost: (id, reason) => assert.fail(`${id} cannot go on: ${reason}`),
    };
  }

  #registered(tool: string): ReturnType<GateParts["registered"]> {
    const schemas = SCHEMAS.get(tool);
    if (schemas === undefined) return undefined;
    const effect = capability(tool, async ({ args }) => {
      const number = Number(args["n"]);
      this.effects.set(number, (this.effects.get(number) ?? 0) + 1);
      this.onEffect(number);
      await this.#held(this.#ends, number);
      return {};
    });
    return {
      capability: effect,
      ...schemas,
      enabled: this.#enabled,
      timeoutMs: 1_000,
      outputBytes: 1_000,
      child: DEFAULT_CHILD_LIMITS,
    };
  }

  async #held(waits: Map<number, () => void>, number: number): Promise<void> {
    await new Promise<void>((resolve) => waits.set(number, resolve));
  }
}

/** Keeps each group until it is told what becomes of it. */
class HeldStore extends MemoryStore {
  readonly #disk: MemoryDisk;
  #group: CommitGroup | null = null;
  #release: (() => void) | null = null;
  isFailed = false;

  constructor(disk: MemoryDisk) {
    super(disk);
    this.#disk = disk;
  }

  get held(): string[] | null {
    return this.#group?.records.map(brief) ?? null;
  }

  override async append(group: CommitGroup): Promise<void> {
    this.#group = group;
    await new Promise<void>((resolve) => {
      this.#release = resolve;
    });
    await super.append(group);
  }

  async release(fault: "EIO" | "unanswered" | null): Promise<void> {
    if (fault !== null) this.inject({ kind: fault });
    this.isFailed = fault !== null;
    this.#group = null;
    this.#release?.();
  }

  async wrecks(): Promise<MemoryDisk[]> {
    const without = copyOf(this.#disk);
    if (this.#group === null) return [without];
    const landed = copyOf(this.#disk);
    const store: JournalStore = new MemoryStore(landed);
    await store.open();
    await store.append(this.#group);
    await store.close();
    return [without, landed];
  }
}

/** Rules on trial that permit everything, and came with the policy that is in force. */
function onTrialBeside({ compiled: { revision } }: InForce): OnTrial {
  return { verdict: () => ({ revision, verdict: "allowed", code: null, rules: ["permit-all"] }) };
}

function release(waits: Map<number, () => void>, number: number): void {
  const resolve = waits.get(number);
  waits.delete(number);
  resolve?.();
}

const numbersOf = (questions: readonly WaitingCall[]): number[] =>
  questions.map(({ execution }) => Number(execution.slice(-12)));

/** The identifier of the execution of a call. */
export function idOf(number: number): ExecutionId {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}` as string as ExecutionId;
}

/** A record in short, with the call that it belongs to. */
function brief(bytes: Uint8Array): string {
  const { type, execution, body } = JSON.parse(Buffer.from(bytes).toString("utf8")) as TypedRecord;
  const said = "event" in body ? body.event : "answer" in body ? body.answer : null;
  const event = said === null ? "" : ` ${String(said)}`;
  return `${type}${event}${execution === null ? "" : ` of ${Number(execution.slice(-12))}`}`;
}
