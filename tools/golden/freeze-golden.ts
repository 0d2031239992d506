/**
 * Freezes what this version writes in packages/testing/golden/<version>: a state directory, its export, and the states
 * that follow from it. It is written once for each version, and every later version has to read and continue it.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportTiles, LeveldbStore, StoreReader, StoreSource, verifyLog } from "@femtoclaw/journal";
import { FROZEN_MACHINES } from "@femtoclaw/machines";
import { MACHINE_OF, VERSION } from "@femtoclaw/protocol";
import { recompute } from "@femtoclaw/runtime";
import { writeStory } from "./golden-story.ts";

const GOLDEN = fileURLToPath(new URL(`../../packages/testing/golden/${VERSION}`, import.meta.url));
/** Always the same path, because the policy's floor names it in the records. */
const WORK = "/tmp/femtoclaw-golden";
/** LevelDB's own log and lock files, and the disk reserve: they are no part of the journal. */
const NOT_KEPT = /\/(?:LOCK|LOG|LOG\.old|reserve)$/;

if (existsSync(GOLDEN)) {
  console.error(
    `${GOLDEN} exists: a frozen version stays as it is, so raise the version. Before a release, delete it.`,
  );
  process.exit(1);
}
rmSync(WORK, { recursive: true, force: true });
mkdirSync(WORK, { mode: 0o700 });
const state = await writeStory(WORK);

const store = new LeveldbStore(join(state, "journal"));
const { size } = await store.open();
const reader = new StoreReader(store, size);
const types = new Set<string>();
for await (const { type } of reader.read(0, size)) types.add(type);
const missing = Object.keys(MACHINE_OF).filter((type) => !types.has(type));
const { root, keys, verdict, unsignedTail, fault } = await verifyLog({ source: new StoreSource(store, size) });
const { verdict: recomputed, actors, snapshotsEqual, machines } = await recompute(reader);
const log = join(WORK, "log");
await exportTiles(reader, log);
await store.close();

const faults = [
  ...(missing.length === 0
    ? []
    : [`no record of type ${missing.join(", ")}: let tools/golden/golden-story.ts write one`]),
  ...(verdict === "verified" && unsignedTail === 0 ? [] : [`the log is ${verdict}: ${JSON.stringify(fault)}`]),
  ...(recomputed === "recomputed" ? [] : [`the log ${recomputed}`]),
  ...machines.filter(({ sha256 }) => FROZEN_MACHINES.every((frozen) => frozen.sha256 !== sha256)).map(({ id }) => id),
];
for (const text of faults) console.error(text);
if (faults.length === 0) {
  mkdirSync(GOLDEN, { recursive: true });
  cpSync(log, join(GOLDEN, "log"), { recursive: true });
  cpSync(state, join(GOLDEN, "state"), { recursive: true, filter: (path) => !NOT_KEPT.test(path) });
  const expected = { version: VERSION, size, root, vkey: keys[0]?.vkey, snapshotsEqual, actors };
  writeFileSync(join(GOLDEN, "expected.json"), `${JSON.stringify(expected, null, 2)}\n`);
  chmodSync(GOLDEN, 0o755);
  console.log(`froze ${size} records of ${types.size} types as ${GOLDEN}`);
}
rmSync(WORK, { recursive: true, force: true });
process.exitCode = faults.length === 0 ? 0 : 1;
