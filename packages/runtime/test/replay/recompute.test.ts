/** History folded with the machines that it names: what agrees, what does not, and what cannot be said. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { snapshotDigests } from "@femtoclaw/journal";
import { FROZEN_MACHINES, type FrozenMachine, MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { FemtoError, type MachineId, type RecordType, type Snapshot, type TypedRecord } from "@femtoclaw/protocol";
import { Projection, type Recomputation, type RecomputeOptions, recompute, replay } from "@femtoclaw/runtime";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type AnyStateMachine, createMachine } from "xstate";
import { recover } from "../../src/boot/recovery.ts";
import { LIVE_MACHINES, type MachineSet } from "../../src/projection/machine-set.ts";
import { FrozenMachines } from "../../src/replay/frozen-machines.ts";
import { type RecordedHistory, readerOf, recordHistory } from "../projection/recorded-history.ts";
import { ofType } from "../runtime-fixture.ts";

let history: RecordedHistory;
let records: readonly TypedRecord[];
let lastBoot: number;

beforeAll(async () => {
  history = await recordHistory();
  records = history.records;
  lastBoot = ofType(records, "boot.started").at(-1)?.seq ?? 0;
});

/** A version that no machine has yet. */
const NEWER = "9";

type Change = (record: TypedRecord) => object;

/** Recomputes a history in which each record is changed; the stored snapshots are gone, unless they are given. */
function recomputed(
  change: Change,
  options: RecomputeOptions & { readonly snapshots?: readonly Snapshot[] } = {},
): Promise<Recomputation> {
  const changed = records.map((record) => ({ ...record, ...change(record) }) as TypedRecord);
  return recompute(readerOf({ records: changed, snapshots: options.snapshots ?? [] }), options);
}

const unchanged: Change = () => ({});
const first = (type: RecordType, from = 0): number =>
  records.find((record) => record.seq >= from && record.type === type)?.seq ?? -1;

/** A file of this content under a digest of its own, which `logic` stands for. */
function frozen(id: MachineId, version: string, logic: AnyStateMachine, content = `${id} ${version}`): FrozenMachine {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-frozen-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "machine.js");
  writeFileSync(file, content);
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { id, version, sha256, url: pathToFileURL(file).href, load: async () => logic };
}

/** The machine of today with more in its context, or with another name for a state. */
function variant(
  id: MachineId,
  change: { readonly context?: object; readonly renamed?: string } = {},
): AnyStateMachine {
  const { config, implementations } = LIVE_MACHINES[id].logic;
  const { states, context: begin } = config;
  const name = JSON.stringify(change.renamed ?? "");
  const renamed =
    change.renamed === undefined ? states : JSON.parse(JSON.stringify(states).replaceAll(name, '"renamed"'));
  const context = (args: never): object => ({
    ...(typeof begin === "function" ? begin(args) : begin),
    ...change.context,
  });
  return createMachine({ ...config, context, states: renamed } as never, implementations as never);
}

describe("a history", () => {
  it("is recomputed to the states that the runtimes had, with stored snapshots and without", async () => {
    const folded = new Projection();
    for (const record of records) folded.apply(record);
    for (const snapshots of [history.snapshots, []]) {
      const found = await recomputed(unchanged, { snapshots });
      expect(found).toMatchObject({ verdict: "recomputed", divergence: null, obstacle: null, records: records.length });
      expect(found.snapshotsEqual).toBe(ofType(records, "snapshot.taken").length);
      expect(found.snapshotsEqual).toBeGreaterThan(15);
      expect(found.actors).toEqual(folded.snapshot());
      expect(found.machines.map(({ id }) => id).toSorted()).toEqual(Object.keys(MACHINE_IDENTITIES).toSorted());
    }
  });

  it("is recomputed to the same end from every snapshot on", async () => {
    const whole = await recomputed(unchanged);
    for (const from of history.snapshots) {
      const found = await recomputed(unchanged, { from });
      expect(found).toMatchObject({ verdict: "recomputed", records: records.length - from.seq - 1 });
      expect(found.actors).toEqual(whole.actors);
    }
  });

  it("stops where it is told", async () => {
    const found = await recomputed(unchanged, { to: 20 });
    expect(found).toMatchObject({ verdict: "recomputed", records: 21 });
  });
});

describe("an upgrade", () => {
  const ids = Object.keys(LIVE_MACHINES) as MachineId[];

  /** What the newer runtime would have written from a record on: its identities and the digests of its states. */
  function upgraded(at: number, newer: readonly FrozenMachine[], logics: MachineSet): Change {
    const identities = new Map(newer.map(({ id, version, sha256 }) => [id, { id, version, sha256 }]));
    const live = new Projection(logics);
    return (record) => {
      const states = record.seq < at ? null : snapshotDigests(live.snapshot());
      live.apply(record);
      if (states === null) return {};
      const machine = identities.get(record.machine.id) ?? record.machine;
      return record.type === "snapshot.taken" ? { machine, body: { ...record.body, actors: states } } : { machine };
    };
  }

  function versions(change: Parameters<typeof variant>[1]): { known: FrozenMachine[]; logics: MachineSet } {
    const known = ids.map((id) => frozen(id, NEWER, variant(id, id === "execution" ? {} : change)));
    const logics = Object.fromEntries(
      known.map(({ id, version, sha256 }, index) => {
        return [
          id,
          { identity: { id, version, sha256 }, logic: variant(ids[index] ?? id, id === "execution" ? {} : change) },
        ];
      }),
    );
    return { known, logics: logics as MachineSet };
  }

  it("at a boot lets each new machine begin as it does, and says which version folded from where on", async () => {
    const { known, logics } = versions({ context: { sinceTwo: true } });
    const machines = new FrozenMachines([...FROZEN_MACHINES, ...known]);
    const found = await recomputed(upgraded(lastBoot, known, logics), { machines });
    expect(found).toMatchObject({ verdict: "recomputed", records: records.length });
    expect(found.snapshotsEqual).toBe(ofType(records, "snapshot.taken").length);
    const second = found.machines.filter(({ version }) => version === NEWER);
    expect(second.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(Math.min(...second.map(({ from }) => from))).toBe(lastBoot);
    expect(found.actors["registry"]).toMatchObject({ version: NEWER, state: { context: { sinceTwo: true } } });
  });

  it("in the middle of a boot goes on with value and context", async () => {
    const at = first("capability.disabled");
    const next = frozen("registry", NEWER, variant("registry"));
    const machines = new FrozenMachines([...FROZEN_MACHINES, next]);
    const { id, version, sha256 } = next;
    const change: Change = ({ seq, type }) =>
      seq >= at && type.startsWith("capability.") ? { machine: { id, version, sha256 } } : {};
    const found = await recomputed(change, { machines, to: at });
    expect(found).toMatchObject({ verdict: "recomputed", records: at + 1 });
    const whole = await recomputed(unchanged, { to: at });
    expect(found.actors["registry"]?.state).toEqual(whole.actors["registry"]?.state);
  });

  it("to a machine that has no such state is a divergence at the record that names it", async () => {
    const at = first("capability.disabled");
    const next = frozen("registry", NEWER, variant("registry", { renamed: "ready" }));
    const machines = new FrozenMachines([...FROZEN_MACHINES, next]);
    const { id, version, sha256 } = next;
    const change: Change = ({ seq }) => (seq === at ? { machine: { id, version, sha256 } } : {});
    const found = await recomputed(change, { machines });
    expect(found).toMatchObject({ verdict: "diverges", records: at, divergence: { seq: at, actor: "registry" } });
    expect(found.divergence?.reason).toContain("registry version 9 cannot continue from version 1");
  });

  it("that leaves an open execution without its state is a divergence", async () => {
    const { intent } = ofType(records, "execution.interrupted")[0]?.body ?? {};
    const at = first("execution.interrupted");
    const next = frozen("execution", NEWER, variant("execution", { renamed: "intentCommitting" }));
    const machines = new FrozenMachines([...FROZEN_MACHINES, next]);
    const { id, version, sha256 } = next;
    const change: Change = ({ seq }) => (seq === at ? { machine: { id, version, sha256 } } : {});
    const found = await recomputed(change, { machines });
    expect(found).toMatchObject({ verdict: "diverges", divergence: { seq: at, type: "execution.interrupted" } });
    expect(found.divergence?.recomputed).toMatchObject({ intent, at: { state: "intentCommitting" } });
  });
});

describe("a machine that is not here", () => {
  const named =
    (seq: number, change: object): Change =>
    (record) =>
      record.seq >= seq && record.type.startsWith("execution.") ? { machine: { ...record.machine, ...change } } : {};

  it.each([
    ["another version", { version: "7" }],
    ["a digest that does not exist", { sha256: "ab".repeat(32) }],
  ])("for %s nothing is said from the first record that names it", async (_what, change) => {
    const at = first("execution.intent", 100);
    const expected = Math.min(...[at, first("execution.refused", at), first("execution.outcome", at)]);
    const found = await recomputed(named(at, change));
    expect(found).toMatchObject({ verdict: "not-recomputable", divergence: null, records: expected });
    expect(found.obstacle?.seq).toBe(expected);
    expect(found.obstacle?.reason).toMatch(/^the machine execution version \d \([0-9a-f]{64}\) is not available here$/);
  });

  it("is also one whose file was edited, which is never run", async () => {
    let loads = 0;
    const edited = FROZEN_MACHINES.map((machine) => {
      if (machine.id !== "execution") return machine;
      const whole = readFileSync(new URL(machine.url), "utf8");
      const text = whole.replace('denied: toEnd("AuthorizationError")', 'denied: "intentCommitting"');
      expect(text).not.toBe(whole);
      const load = async (): Promise<AnyStateMachine> => {
        loads += 1;
        return machine.load();
      };
      // Everything but the bytes is as a record names it, so that nothing but these can give it away.
      return { ...machine, url: frozen("execution", machine.version, LIVE_MACHINES.execution.logic, text).url, load };
    });
    const found = await recomputed(unchanged, { machines: new FrozenMachines(edited) });
    expect(found).toMatchObject({ verdict: "not-recomputable", obstacle: { seq: first("message.recorded") } });
    expect(loads).toBe(0);
  });

  it("is also one whose file is gone", async () => {
    const gone = FROZEN_MACHINES.map((machine) => ({ ...machine, url: `${machine.url}.gone` }));
    expect(await recomputed(unchanged, { machines: new FrozenMachines(gone) })).toMatchObject({
      verdict: "not-recomputable",
      records: 0,
      obstacle: { seq: 0 },
    });
  });

  it("may hold an actor that is not known here, whatever that is called", async () => {
    const at = first("snapshot.taken");
    const [sha256, names] = ["0".repeat(64), ["planner", "__proto__", "constructor"]];
    const digests = [
      { machine: "planner", version: "1", definition: null, sha256 },
      { machine: "planner", version: "1.1", definition: sha256, sha256 },
    ];
    for (const [name, digest] of names.flatMap((each) => digests.map((held) => [each, held] as const))) {
      const stranger = JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(digest)}}`) as object;
      const change: Change = ({ seq, body }) => {
        if (seq !== at || !("actors" in body)) return {};
        const actors = Object.fromEntries([...Object.entries(body.actors), ...Object.entries(stranger)]);
        return { body: { ...body, actors } };
      };
      const found = await recomputed(change);
      expect(found, name).toMatchObject({ verdict: "not-recomputable", obstacle: { seq: at } });
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
    }
  });

  it("says nothing of a record of a later format", async () => {
    const log = readerOf({ records, snapshots: [] });
    async function* read(from: number, to: number) {
      yield* log.read(from, Math.min(to, 40));
      throw new FemtoError("FEMTO_JOURNAL_FORMAT", "a stored record has format 2 where 1 is understood");
    }
    const found = await recompute({ ...log, read });
    expect(found).toMatchObject({ verdict: "unverifiable", records: 40, obstacle: { seq: 40 } });
  });
});

describe("a divergence", () => {
  it("names the record, what it says, and what its machine makes of the records before", async () => {
    const at = first("lifecycle.changed", 10);
    const change: Change = ({ seq, body }) => (seq === at ? { body: { ...body, to: "error" } } : {});
    const found = await recomputed(change);
    expect(found).toMatchObject({ verdict: "diverges", records: at });
    expect(found.divergence).toMatchObject({
      seq: at,
      type: "lifecycle.changed",
      actor: "lifecycle",
      machine: LIVE_MACHINES.lifecycle.identity,
      recorded: { to: "error" },
      recomputed: { value: expect.objectContaining({ phase: expect.anything() as unknown }) as unknown },
    });
  });

  it("shows at the next snapshot when an outcome was turned into another", async () => {
    const at = first("execution.outcome");
    const change: Change = ({ seq, body }) =>
      seq === at && "event" in body
        ? { body: { ...body, event: body.event === "succeeded" ? "failed" : "succeeded" } }
        : {};
    const taken = first("snapshot.taken", at);
    const blind = await recomputed(change);
    expect(blind).toMatchObject({
      verdict: "diverges",
      divergence: { seq: taken, actor: "executions", differences: [] },
    });
    const seen = await recomputed(change, { snapshots: history.snapshots });
    expect(seen.divergence?.differences.map(({ path }) => path)).toEqual([
      "/state/counters/completed",
      "/state/counters/failed",
      // What the session did is folded from the same record.
      expect.stringMatching(/^\/state\/open\/[-0-9a-f]+\/failures$/),
    ]);
  });

  it("is a digest that was changed, also beside the right snapshot", async () => {
    const at = first("snapshot.taken", 60);
    const change: Change = ({ seq, body }) => {
      if (seq !== at || !("actors" in body)) return {};
      return {
        body: { ...body, actors: { ...body.actors, host: { ...body.actors["host"], sha256: "0".repeat(64) } } },
      };
    };
    for (const snapshots of [[], history.snapshots]) {
      expect(await recomputed(change, { snapshots })).toMatchObject({
        verdict: "diverges",
        divergence: { seq: at, actor: "host", machine: null, recorded: { sha256: "0".repeat(64) } },
      });
    }
  });

  it("is a snapshot that forgets an actor, and a machine that folds what is not its own", async () => {
    const at = first("snapshot.taken");
    const forgets: Change = ({ seq, body }) => {
      if (seq !== at || !("actors" in body)) return {};
      const { policy: _policy, ...actors } = body.actors;
      return { body: { ...body, actors } };
    };
    expect(await recomputed(forgets)).toMatchObject({ verdict: "diverges", divergence: { seq: at, actor: "policy" } });
    const foreign: Change = ({ seq }) => (seq === at ? { machine: LIVE_MACHINES.policy.identity } : {});
    expect(await recomputed(foreign)).toMatchObject({
      verdict: "diverges",
      divergence: { seq: at, recorded: "policy", recomputed: "memory" },
    });
  });

  it("is a snapshot to start from whose states no machine can be in", async () => {
    const [from] = history.snapshots;
    if (from === undefined) throw new Error("no snapshot");
    const { registry, executions } = from.actors;
    const broken = {
      registry: { ...registry, state: { value: "nowhere", context: {} } },
      executions: { ...executions, state: { open: 7, counters: null } },
    };
    const actors = { ...from.actors, registry: broken.registry } as Snapshot["actors"];
    expect(await recomputed(unchanged, { from: { ...from, actors } })).toMatchObject({
      verdict: "diverges",
      divergence: { seq: from.seq + 1, type: "snapshot.taken" },
    });
    const { memory: _memory, ...others } = from.actors;
    expect(await recomputed(unchanged, { from: { ...from, actors: others } })).toMatchObject({
      verdict: "not-recomputable",
    });
  });

  it.each([
    ["machine", { policy: null }],
    ["machine", { policy: { value: "nowhere", context: {} } }],
    ["machine", { lifecycle: { value: { phase: ["idle"] }, context: {} } }],
    ["map of executions", { executions: "" }],
    ["host", { host: null }],
    ["session", { sessions: { open: { s: "x" }, ended: {}, reserved: {}, marks: null } }],
  ])("is a snapshot whose state no %s makes, for a start and a replay as well", async (_what, states) => {
    const [from] = history.snapshots;
    if (from === undefined) throw new Error("no snapshot");
    const forged = Object.entries(states).map(([name, state]) => [name, { ...from.actors[name], state }]);
    const snapshot = { ...from, actors: { ...from.actors, ...Object.fromEntries(forged) } } as Snapshot;
    expect(await recomputed(unchanged, { from: snapshot })).toMatchObject({ verdict: "diverges" });
    const given = async () => snapshot;
    const log = { ...readerOf({ records, snapshots: [] }), latestSnapshot: given, oldestSnapshot: given };
    const corrupt = { code: "FEMTO_JOURNAL_CORRUPT" };
    await expect(replay({ ...log, prunedBefore: async () => 1 })).rejects.toMatchObject(corrupt);
    await expect(recover(log)).rejects.toMatchObject(corrupt);
  });
});
