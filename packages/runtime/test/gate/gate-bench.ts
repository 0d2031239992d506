/** A real gate over a journal whose disk fails on demand. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { type Capability, ProgramDigests, takeFacts } from "@femtoclaw/capabilities";
import { Journal, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { DecisionShare } from "@femtoclaw/policy";
import type { Authority, RecordActor, Reply, SessionId } from "@femtoclaw/protocol";
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { ActorSystem } from "../../src/actors/system.ts";
import { Door, newcomersShare } from "../../src/gate/admission/door.ts";
import { FairSlots } from "../../src/gate/admission/fair-slots.ts";
import { LoopTurns } from "../../src/gate/admission/loop-turns.ts";
import { refusalShare, SessionQuota } from "../../src/gate/admission/session-quota.ts";
import { Gate } from "../../src/gate/gate.ts";
import type { GateParts, Registered } from "../../src/gate/gate-parts.ts";
import { compileSchemas } from "../../src/gate/schemas/argument-validators.ts";
import { questionRecord } from "../../src/operators/approvals.ts";
import { Projection } from "../../src/projection/projection.ts";
import { SessionHistories } from "../../src/projection/session-histories.ts";
import { call, NO_OUTPUTS, NO_RELAYS, NO_TERMINALS } from "../runtime-fixture.ts";

const AUTHORITY: Authority = {
  workspace: "/",
  searchPath: [],
  floor: [],
  childRead: [],
  environment: {},
  environmentNames: [],
  allow: { read: [], write: [], run: [] },
  ask: { read: [], write: [], run: [] },
  deny: { read: [], write: [], run: [] },
};
const TO_IDLE = [
  ...["integrity.verified", "configuration.loaded", "memory.ready", "registry.ready", "policy.ready"],
  "observability.ready",
] as const;

const ACTOR: RecordActor = { principal: "default", agent: null, channel: "library", delegation: null };

/** A gate on a disk that fails on demand, wired as the runtime wires it. */
export class GateBench {
  readonly store: MemoryStore;
  readonly system = new ActorSystem({ lastState: () => undefined });
  readonly projection = new Projection();
  readonly gate: Gate;
  readonly journal: Journal;
  /** What the registry says of a tool, for a test that changes it. */
  said: Registered | undefined;

  private constructor(
    journal: Journal,
    store: MemoryStore,
    capabilities: readonly Capability[],
    parts: Partial<GateParts>,
  ) {
    this.journal = journal;
    this.store = store;
    const validators = compileSchemas(capabilities);
    for (const type of TO_IDLE) this.system.advance({ type });
    const digests = new ProgramDigests();
    const slots = { slots: 64, slotsPerSession: 64, queue: 1_000 };
    this.gate = new Gate({
      clock: systemClock(),
      newId: randomUUID,
      standing: () => ({ authority: AUTHORITY, sandbox: null }),
      stages: new FairSlots(slots),
      turns: new LoopTurns(systemClock()),
      effects: new FairSlots(slots),
      outcomes: new FairSlots(slots),
      largeResults: new FairSlots(slots),
      admission: () =>
        this.system.phase === "idle" ? null : { code: "FEMTO_DRAINING", reason: `phase ${this.system.phase}` },
      spawn: (id) => this.system.spawn(id),
      arriving: () => null,
      absent: () => null,
      registered: (tool) => {
        const found = capabilities.find(({ manifest }) => manifest.name === tool);
        const schemas = validators.get(tool);
        if (found === undefined || schemas === undefined) return undefined;
        return {
          capability: found,
          ...schemas,
          enabled: true,
          timeoutMs: 10_000,
          outputBytes: 1_000,
          child: DEFAULT_CHILD_LIMITS,
        };
      },
      connectionFacts: async () => ({ ok: false, reason: "nothing connects" }),
      takeFacts: (manifest, args) => takeFacts({ manifest, args, authority: AUTHORITY, sandbox: null, digests }),
      terminals: NO_TERMINALS,
      outputs: NO_OUTPUTS,
      relays: NO_RELAYS,
      histories: new SessionHistories(),
      decide: () => ({ allowed: true, rules: ["a"], revision: "0".repeat(64) }),
      onTrial: () => null,
      append: (entry) => journal.append(entry),
      resume: (id) => this.system.resume(id),
      evict: (id) => this.system.evict(id),
      approvals: { expiresMs: 1_000, perSession: 8, atOnce: 256, operators: [], operatorKey: false },
      log: "log",
      question: (seq) => questionRecord(journal, seq),
      isOpen: () => true,
      quota: () => new SessionQuota(refusalShare(0), 0, newcomersShare(0)),
      lost: (id, reason) => assert.fail(`${id} cannot go on: ${reason}`),
      ...parts,
    });
  }

  static async open(capabilities: readonly Capability[], parts: Partial<GateParts> = {}): Promise<GateBench> {
    const store = new MemoryStore();
    let bench: GateBench | undefined;
    const journal = await Journal.open({
      store,
      keyring: new MemoryKeyring(),
      boot: "boot-1",
      clock: systemClock(),
      machines: MACHINE_IDENTITIES,
      onFailed: (error) =>
        void bench?.system.advance({ type: "fault", fault: { code: error.code, reason: error.message } }),
    });
    bench = new GateBench(journal, store, capabilities, parts);
    return bench;
  }

  propose(tool: string, session = "s"): Promise<Reply> {
    const bytes = Buffer.from(JSON.stringify(call(tool)));
    const quota = new SessionQuota(refusalShare(0), 0, newcomersShare(0));
    const door = new Door(systemClock(), 0);
    return this.gate.propose({
      session: session as SessionId,
      actor: ACTOR,
      bytes,
      quota,
      share: new DecisionShare(),
      door,
      introduce: () => true,
    });
  }
}
