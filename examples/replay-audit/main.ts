/**
 * The auditor's story: an agent works under a runtime, the log is handed over, and somebody who has nothing but
 * the log's public key verifies it, looks at a moment of it, finds out a forgery, and recomputes how it ended.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportTiles, proveSnapshot, TilesReader, TilesSource, verifyLog } from "@femtoclaw/journal";
import { createRuntime, recompute, replay, resolveConfiguration, stateDifferences } from "@femtoclaw/runtime";

const home = mkdtempSync(join(tmpdir(), "femtoclaw-example-"));
const handedOver = join(home, "handed-over");
const { vkey, intent } = await agentAtWork();

// From here on there is no runtime and no database: a folder, and a key that was kept elsewhere.
const { verdict, size, pinned } = await verifyLog({ source: new TilesSource(handedOver), pinned: vkey });
console.log(`the log: ${verdict}, ${size} records, the known key ${pinned}`);

const log = await TilesReader.open(handedOver);
const { projection } = await replay(log, { to: intent });
const [open] = [...projection.open.values()];
console.log(
  `after record ${intent}: the runtime is ${projection.phase}, ${open?.tool} is permitted and has no outcome yet`,
);

const forged = join(home, "forged");
cpSync(handedOver, forged, { recursive: true });
const bundle = join(forged, "tile", "entries", "000.p", String(size));
writeFileSync(bundle, readFileSync(bundle, "latin1").replace('"denied"', '"halted"'), "latin1");
const found = await verifyLog({ source: new TilesSource(forged), pinned: vkey });
console.log(`a copy in which a refusal says something else: ${found.verdict}`);

const [seq = -1] = await log.snapshots();
const proof = await proveSnapshot(log, seq, vkey);
if (!proof.ok) throw new Error(proof.reason);
console.log(`the snapshot after record ${seq}: proved by record ${seq + 1} of the signed log`);
// Each record names the machine version that folds it, and the record after a snapshot has its digests.
const head = await recompute(log, { to: seq + 1 });
const tail = await recompute(log, { from: proof.snapshot });
const whole = await recompute(log);
const same = stateDifferences(tail.actors, whole.actors).length === 0;
console.log(`the records before it: ${head.verdict}, snapshots as recorded: ${head.snapshotsEqual}`);
console.log(
  `the records after it: ${tail.verdict}, and ${same ? "the same end" : "another end"} as from the first record on`,
);
rmSync(home, { recursive: true });

/** A run with one call done and one denied; leaves the export, and tells the key that the auditor keeps. */
async function agentAtWork(): Promise<{ readonly vkey: string; readonly intent: number }> {
  mkdirSync(join(home, "workspace", "secrets"), { recursive: true });
  writeFileSync(join(home, "workspace", "notes.txt"), "buy oat milk\n");
  writeFileSync(join(home, "workspace", "secrets", "key.txt"), "do not show me\n");
  const configuration = resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: { fs_read: true },
      allow: { read: ["workspace"] },
      deny: { read: ["workspace/secrets"] },
      memory: { path: "state" },
    },
    baseDirectory: home,
    environment: process.env,
  });
  await using runtime = await createRuntime({ configuration, snapshotEveryRecords: 12 });
  await using session = runtime.openSession({ channel: "library", label: "replay-audit" });
  for (const path of ["notes.txt", "secrets/key.txt"]) {
    const reply = await session.propose({ tool_call: { tool: "fs_read", args: { path } } });
    console.log(`the agent reads ${path}: ${reply.decision}`);
  }
  await runtime.checkpoint();
  await exportTiles(runtime.reader, handedOver);
  let [key, intent] = ["", -1];
  for await (const record of runtime.reader.readFrom(0)) {
    if (record.type === "log.created") key = record.body.vkey;
    if (record.type === "execution.intent") intent = record.seq;
  }
  return { vkey: key, intent };
}
