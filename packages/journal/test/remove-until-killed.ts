/** A process of the crash tests: fills a journal once, then erases and prunes for ever, and prints what was done. */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { LIMITS, type RecordActor } from "@femtoclaw/protocol";
import { FileKeyring, Journal, LeveldbStore, planPruning, systemClock } from "../src/index.ts";
import { MACHINES, message } from "./journal-fixture.ts";

const RECORDS = 10_000;
const APPENDED_AT_ONCE = 500;
const VALUE_EVERY = 50;
const ERASED_AT_ONCE = 2;
const PRUNED_AT_ONCE = 1_024;
const OPERATOR: RecordActor = { principal: "uid:0", agent: null, channel: "operator", delegation: null };

const [directory = "", boot = ""] = process.argv.slice(2);
const journal = await Journal.open({
  store: new LeveldbStore(directory),
  keyring: new FileKeyring(join(directory, "..", "keys")),
  boot,
  clock: systemClock(),
  machines: MACHINES,
  projector: { apply: () => undefined, snapshot: () => ({}) },
});

while (journal.size < RECORDS) {
  const first = journal.size;
  const appended = Array.from({ length: APPENDED_AT_ONCE }, (_, index) => {
    const n = first + index;
    if (n % VALUE_EVERY !== 0) return journal.append(message(`m${n}`, `e${n % 500}`));
    // Long enough to stand beside its record.
    return journal.append(message(`secret-${n}-`.padEnd(LIMITS.recordedValueChars + 1, "x"), `of-${n}-`));
  });
  await Promise.all(appended);
}
writeSync(1, "ready\n");
for (;;) {
  const before = await journal.prunedBefore();
  for (const seq of await valuesFrom(before)) {
    await journal.erase({ seq, reason: "test", actor: OPERATOR });
    writeSync(1, `erased ${seq}\n`);
  }
  const pruning = await planPruning(journal, before + PRUNED_AT_ONCE);
  await journal.prune(pruning, OPERATOR);
  writeSync(1, `pruned ${pruning.before}\n`);
}

/** The next records whose value is still kept beside them. */
async function valuesFrom(before: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { seq, commitments } of journal.read(before + PRUNED_AT_ONCE, journal.size)) {
    if (found.length === ERASED_AT_ONCE) break;
    if (commitments !== undefined && (await journal.blob(seq, 0)) !== null) found.push(seq);
  }
  return found;
}
