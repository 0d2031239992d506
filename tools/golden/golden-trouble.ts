/**
 * The part of the golden history that hosts write only in trouble that cannot be provoked: its records are appended by
 * hand, to a journal that folds them.
 */
import { randomUUID } from "node:crypto";
import {
  FileKeyring,
  Journal,
  type JournalEntry,
  LeveldbStore,
  openStateDirectory,
  StoreReader,
  systemClock,
} from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { VERSION } from "@femtoclaw/protocol";
import { type Projection, replay } from "@femtoclaw/runtime";

/** A life that ends early: a subsystem crashes and comes back, the disk is full for a while, pruning removes nothing. */
export async function appendTrouble(stateDirectory: string): Promise<void> {
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
