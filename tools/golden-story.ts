/**
 * A short history with records of every type, written by real runtimes; what they write only in trouble that
 * nobody can arrange is appended by hand, to a journal that folds it. For `tools/freeze-golden.ts`.
 */
import { randomUUID } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Capability, CapabilityOutcome, JsonObject } from "@femtoclaw/capabilities";
import {
  FileKeyring,
  Journal,
  type JournalEntry,
  LeveldbStore,
  newOperatorKey,
  openStateDirectory,
  operatorSigner,
  readOperatorKey,
  StoreReader,
  signAnswer,
  systemClock,
} from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { type Configuration, VERSION } from "@femtoclaw/protocol";
import {
  type ApprovalView,
  createRuntime,
  listExecutions,
  type Projection,
  type ResolvedConfiguration,
  type Runtime,
  type RuntimeOptions,
  replay,
  resolveConfiguration,
  type TelemetrySource,
} from "@femtoclaw/runtime";

const SNAPSHOT_EVERY = 60;
/** Beside what fits in a record, so that it stands there as a commitment. */
const LARGE_CHARS = 5_000;

/** Writes the history below `root` and returns its state directory, keys included. */
export async function writeStory(root: string): Promise<string> {
  for (const folder of ["workspace", "asked"]) mkdirSync(join(root, folder));
  const state = await untilCopied(root);
  await untilCrash(root, state);
  await afterCrash(root, state);
  await inTrouble(state);
  return state;
}

/** A life that is only the past of the one that is kept: a copy of its directory begins a log of its own. */
async function untilCopied(root: string): Promise<string> {
  const state = join(root, "state");
  await whileCallWaits(await startWaiting(root, "first"), async () =>
    cpSync(join(root, "first"), state, { recursive: true }),
  );
  return state;
}

/** Every kind of call, switches, another key, and then the power is cut. */
async function untilCrash(root: string, state: string): Promise<void> {
  let telemetry: TelemetrySource | undefined;
  const waiting = await startWaiting(root, state, {
    kind: "otlp",
    start: async (source) => {
      telemetry = source;
      return 0;
    },
    wake: () => undefined,
    stop: async () => 0,
  });
  const { runtime } = waiting;
  await everyCall(runtime, 2);
  await runtime.switchCapability("off", true, "operator");
  await runtime.switchCapability("off", false, "operator");
  await runtime.rotateKey();
  telemetry?.onChange("degraded", 3, "no route");
  telemetry?.onChange("exporting", 9);
  await everyCall(runtime, 2);
  const [journal, kept] = [join(state, "journal"), join(root, "kept")];
  await whileCallWaits(waiting, async () => cpSync(journal, kept, { recursive: true }));
  // What was written after the cut never reached the disk.
  for (const name of readdirSync(journal)) rmSync(join(journal, name));
  cpSync(kept, journal, { recursive: true });
}

/** What was cut off is interrupted and resolved, more calls come than are taken, and a value is erased. */
async function afterCrash(root: string, state: string): Promise<void> {
  const runtime = await start(root, state, []);
  const [interrupted] = await listExecutions(runtime.reader, { limit: 1, status: "interrupted" });
  await runtime.resolveExecution({
    execution: interrupted?.execution_id ?? "",
    resolution: "not-done",
    reason: "nothing was written",
    by: "operator",
  });
  const session = runtime.openSession({ channel: "library", label: "many at once" });
  await Promise.all(Array.from({ length: 60 }, (_, n) => session.propose(call("quick", { n }))));
  await everyCall(runtime, 2);
  await useTerminal(runtime);
  await askOperators(root, state, runtime);
  await eraseValue(runtime);
  await runtime.close();
}

/** A terminal that echoes, gets another size and is closed. */
async function useTerminal(runtime: Runtime): Promise<void> {
  await using session = runtime.openSession({ channel: "agent", label: "on a terminal" });
  const { result } = await session.propose(call("terminal_open", { bin: "cat" }));
  const terminal_id = result?.["terminal_id"];
  if (terminal_id === undefined) throw new Error("no terminal was opened");
  await session.propose(call("terminal_write", { terminal_id, data: "echoed\r" }));
  await session.propose(call("terminal_resize", { terminal_id, cols: 100, rows: 30 }));
  await session.propose(call("terminal_read", { terminal_id, timeout_ms: 1_000 }));
  await session.propose(call("terminal_close", { terminal_id }));
}

/** Questions that are answered, and one that stays open; another policy that comes, and one that does not stand. */
async function askOperators(root: string, state: string, runtime: Runtime): Promise<void> {
  const session = runtime.openSession({ channel: "agent", label: "asking" });
  const append = (n: number) =>
    session.propose(call("fs_write", { path: join(root, "asked/note"), content: `${n}\n`, mode: "append" }));
  for (const answer of ["granted", "refused"] as const) {
    const { execution_id } = await append(answer.length);
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("nothing was asked");
    const { id, digest } = question;
    await runtime.approvals.answer({ id, digest, answer, scope: "once", reason: "golden", by: "operator" });
    await session.wait(execution_id);
  }
  const signed = await append(7);
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing was asked");
  await runtime.approvals.answerSigned(signedYes(question));
  await session.wait(signed.execution_id);
  await runtime.reload({ configuration: configured(root, state, { deny: { read: ["asked/kept"] } }) }, "operator");
  const bad = configured(root, state, { limits: { concurrency: 11 } });
  await runtime.reload({ configuration: bad }, "operator").catch(() => undefined);
  await append(0);
  await everyCall(runtime, 2);
}

const OPERATOR = newOperatorKey("golden", null);

function signedYes({ log, id, digest, expires_at: expiresAt }: ApprovalView): string {
  const key = readOperatorKey(OPERATOR.pem, null);
  const signer = key === null ? null : operatorSigner(key, [OPERATOR.vkey]);
  if (signer === null) throw new Error("a new key is readable");
  const said = { log, question: Number(id), digest, answer: "granted", scope: "once", reason: "golden" } as const;
  return signAnswer({ ...said, signedAt: new Date().toISOString(), expiresAt }, signer);
}

async function eraseValue(runtime: Runtime): Promise<void> {
  for await (const { seq, commitments } of runtime.reader.readFrom(0)) {
    if (commitments === undefined) continue;
    await runtime.retention.erase({ seq, reason: "nobody needs it" }, "operator");
    return;
  }
}

interface Waiting {
  readonly runtime: Runtime;
  readonly begun: Promise<void>;
  release(): void;
}

/** A runtime with a capability that waits until it is released. */
async function startWaiting(root: string, state: string, telemetry?: RuntimeOptions["telemetry"]): Promise<Waiting> {
  const [held, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const waits = capability("waits", async () => {
    begun.resolve();
    await held.promise;
    return succeeded({});
  });
  const runtime = await start(root, state, [waits], telemetry);
  return { runtime, begun: begun.promise, release: held.resolve };
}

/** The files as they are while an effect runs are what a machine finds that loses its power then. */
async function whileCallWaits({ runtime, begun, release }: Waiting, copy: () => Promise<void>): Promise<void> {
  const pending = runtime.openSession({ channel: "agent" }).propose(call("waits"));
  await begun;
  await copy();
  release();
  await pending;
  await runtime.close();
}

/** A life that ends early: a subsystem crashes and comes back, the disk is full for a while. What is pruned is nothing. */
async function inTrouble(stateDirectory: string): Promise<void> {
  const { journal: folder, keys } = await openStateDirectory(stateDirectory, { create: false });
  const store = new LeveldbStore(folder);
  const projection = await foldedState(folder);
  const clock = systemClock();
  const boot = randomUUID();
  const machines = MACHINE_IDENTITIES;
  const journal = await Journal.open({
    store,
    keyring: new FileKeyring(keys),
    boot,
    clock,
    machines,
    projector: projection,
  });
  for (const entry of troubleEntries(projection))
    await journal.append({ session: null, execution: null, ...entry } as JournalEntry);
  await journal.snapshot();
  await journal.checkpoint();
  await journal.close();
}

async function foldedState(folder: string): Promise<Projection> {
  const store = new LeveldbStore(folder);
  const { size } = await store.open();
  try {
    return (await replay(new StoreReader(store, size))).projection;
  } finally {
    await store.close();
  }
}

function troubleEntries({ host }: Projection): Pick<JournalEntry, "type" | "body">[] {
  const configuration = { path: null, sha256: host.configuration ?? "", changed: false };
  const [previous_boot, previous_end] = [host.boot, host.ended];
  const process = { version: VERSION, node: "v26", platform: "linux-x64", pid: 1, uid: 1_000 };
  const crash = {
    subsystem: "observability",
    code: "FEMTO_INTERNAL",
    reason: "it broke",
    at_ms: 1,
    decision: "restart",
  };
  const moved = (event: string, from: string, to: string) => ({ type: "lifecycle.changed", body: { event, from, to } });
  const entries = [
    { type: "boot.started", body: { ...process, previous_boot, previous_end, integrity: "unverified", configuration } },
    moved("integrity.verified", "verifyingIntegrity", "loadingConfiguration"),
    moved("configuration.loaded", "loadingConfiguration", "openingMemory"),
    { type: "supervision.crashed", body: crash },
    { type: "supervision.restarted", body: { subsystem: "observability" } },
    { type: "memory.changed", body: { state: "full", reason: "no space left on device" } },
    { type: "memory.changed", body: { state: "ready", reason: "the reserve is taken again" } },
    { type: "session.halted", body: { recorded: 200, event: "undecodable", code: "FEMTO_PROTOCOL_MESSAGE" } },
    { type: "log.pruned", body: { before: 0, records: 0 } },
    { type: "secret.added", body: { name: "golden", host: "example.com", port: 443 } },
    { type: "secret.removed", body: { name: "golden" } },
    {
      type: "deployment.changed",
      body: {
        id: "golden",
        change: "installed",
        at: "2026-01-01T00:00:00Z",
        from: null,
        to: { version: VERSION, binary: configuration.sha256 },
      },
    },
    { type: "upstream.started", body: { server: "golden", program: "/usr/bin/golden", args: ["serve"], url: null } },
    {
      type: "upstream.pinned",
      body: { server: "golden", set_sha256: "a".repeat(64), tools: [{ name: "greet", sha256: "a".repeat(64) }] },
    },
    {
      type: "upstream.quarantined",
      body: {
        server: "golden",
        set_sha256: "a".repeat(64),
        tools: [{ name: "part", sha256: "a".repeat(64), why: "new" }],
      },
    },
    { type: "upstream.unpinned", body: { server: "golden" } },
    { type: "upstream.stopped", body: { server: "golden", started: 1, reason: "it ended" } },
    {
      type: "upstream.answered",
      body: { server: "golden", by: "client", answers: [{ kind: "roots", asked: "{}", answer: '{"roots":[]}' }] },
    },
    {
      type: "subscription.ended",
      body: { server: "golden", uri: "golden://a", opened: "golden", why: "closed", reason: "it ended", updates: 1 },
    },
    moved("shutdown", "openingMemory", "shuttingDown"),
  ];
  return entries as Pick<JournalEntry, "type" | "body">[];
}

/** One call of each kind that ends in a record of its own, from every channel. */
async function everyCall(runtime: Runtime, rounds: number): Promise<void> {
  for (const channel of ["library", "agent", "operator"] as const) {
    await using session = runtime.openSession({ channel, label: channel });
    for (let n = 0; n < rounds; n += 1) {
      await session.propose({ message: { content: `round ${n}` } });
      await session.propose(call("quick", { n }));
      await session.propose(call("large"));
      await session.propose(call("quick", { text: "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789" }));
      await session.propose(call("fails"));
      await session.propose(call("throws"));
      await session.propose(call("goes", { url: "http://127.0.0.1:9/" }));
      await session.propose(call("off"));
      await session.propose(call("quick", { n: "no number" }));
      await session.propose(call("unknown"));
      await session.propose(Buffer.from("{"));
    }
  }
}

async function start(
  root: string,
  state: string,
  more: readonly Capability[],
  telemetry?: RuntimeOptions["telemetry"],
): Promise<Runtime> {
  const refusal = { code: "FEMTO_FILE_EXISTS", reason: "it is there", fix: "Name another.", sandbox: null } as const;
  const capabilities: Capability[] = [
    capability("quick", async (args) => succeeded({ got: args["n"] ?? null })),
    capability("large", async () => succeeded({ text: "x".repeat(LARGE_CHARS) })),
    capability("fails", async () => ({ event: "failed", ...refusal })),
    capability("throws", () => {
      throw new Error("boom");
    }),
    capability("off", async () => succeeded({})),
    // Asks whether it may go on, as a request does that is redirected; nothing is sent.
    {
      isolation: "in-process",
      trusted: true,
      manifest: { ...capability("goes", async () => succeeded({})).manifest, input: GOES, arguments: [GOES_TO] },
      execute: async ({ goOn }) => succeeded({ went: (await goOn(ON)).ok }),
    },
    ...more,
  ];
  const names = capabilities.map(({ manifest }) => manifest.name).filter((name) => name !== "goes");
  const configuration = configured(root, state, {}, more);
  return await createRuntime({
    configuration,
    capabilities,
    permit: names,
    snapshotEveryRecords: SNAPSHOT_EVERY,
    ...(telemetry === undefined ? {} : { telemetry }),
  });
}

const ON = { url: "http://127.0.0.1:9/on", method: "GET", headers: {}, hasBody: false };
const GOES_TO = { pointer: "/url", kind: "host", method: "/method" } as const;
const GOES = {
  type: "object",
  additionalProperties: false,
  properties: { url: { type: "string" }, method: { type: "string" }, headers: { type: "object" } },
};
const NAMES = ["quick", "large", "fails", "throws", "goes"];
const TERMINALS = ["open", "write", "read", "resize", "close"].map((verb) => `terminal_${verb}`);

function configured(
  root: string,
  state: string,
  changes: Configuration,
  more: readonly Capability[] = [],
): ResolvedConfiguration {
  const names = [...NAMES, ...more.map(({ manifest }) => manifest.name), "fs_write", ...TERMINALS];
  return resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: Object.fromEntries(names.map((name) => [name, true])),
      ask: { write: ["asked"] },
      approvals: { operators: [OPERATOR.vkey] },
      allow: { run: { cat: ["*"] }, fetch: ["127.0.0.1:9"] },
      limits: { queue: 10, concurrency: 10 },
      memory: { path: state },
      host: { runtime_dir: "run" },
      ...changes,
    },
    baseDirectory: root,
    environment: { HOME: root },
  });
}

function call(tool: string, args: Record<string, unknown> = {}) {
  return { tool_call: { tool, args } };
}

function succeeded(result: JsonObject): CapabilityOutcome {
  return { event: "succeeded", result, sandbox: null };
}

function capability(name: string, effect: (args: JsonObject) => Promise<CapabilityOutcome>): Capability {
  return {
    isolation: "in-process",
    trusted: true,
    manifest: {
      name,
      version: "1.0.0",
      description: "part of the golden history",
      input: {
        type: "object",
        additionalProperties: false,
        properties: { n: { type: "integer" }, text: { type: "string" } },
      },
      output: { type: "object" },
      arguments: [],
      effect: "none",
      idempotent: false,
      limits: { timeout_ms: 60_000, output_bytes: 1_048_576 },
    },
    execute: ({ args }) => effect(args),
  };
}
