/** `snapshots`: the stored states of the actors. All are caches, so each can be checked against the records. */
import type { LogReader } from "@femtoclaw/journal";
import { EXIT, FemtoError, printable, type Snapshot } from "@femtoclaw/protocol";
import { replay } from "@femtoclaw/runtime";
import { readJournal } from "../../log/read-journal.ts";
import { writeNew } from "../../new-file.ts";
import { table } from "../../terminal/table.ts";
import type { CommandContext } from "../command-context.ts";
import { unreachedPlace } from "../unreached-place.ts";

/** These commands read the journal of a stopped host. A running host makes snapshots all the time. */
async function withReader<T>(context: CommandContext, use: (reader: LogReader) => Promise<T>): Promise<T> {
  await using journal = await readJournal(context.load().resolved.stateDirectory);
  return await use(journal.reader);
}

async function storedSnapshot(reader: LogReader, seq: number): Promise<Snapshot> {
  const snapshot = await reader.snapshotAt(seq);
  if (snapshot !== null) return snapshot;
  throw new FemtoError("FEMTO_EXECUTION_NOT_FOUND", `no snapshot covers exactly the records up to ${seq}`, {
    fix: "Use a sequence number that `femtoclaw snapshots list` shows.",
  });
}

export async function listSnapshots(context: CommandContext): Promise<number> {
  const seqs = await withReader(context, (reader) => reader.snapshots());
  if (context.output.json) context.output.value(seqs);
  else if (seqs.length === 0) context.output.talk("no snapshot is stored");
  else for (const seq of seqs) context.output.line(`after record ${seq}`);
  return EXIT.ok;
}

export async function showSnapshot(context: CommandContext, seq: number): Promise<number> {
  const snapshot = await withReader(context, (reader) => storedSnapshot(reader, seq));
  if (context.output.json) {
    context.output.value(snapshot);
    return EXIT.ok;
  }
  const rows = Object.entries(snapshot.actors).map(([name, { version, state }]) => [
    name,
    `v${version}`,
    printable(JSON.stringify(state), 400),
  ]);
  for (const line of table(rows)) context.output.line(line);
  return EXIT.ok;
}

/**
 * Folds the records from the first available one, and compares. The record that vouches for the snapshot is checked on
 * the way.
 */
export async function verifySnapshot(context: CommandContext, seq: number): Promise<number> {
  const { from, snapshotsEqual: compared } = await withReader(context, async (reader) => {
    await storedSnapshot(reader, seq);
    return await replay(reader, { to: seq });
  });
  if (from > seq) {
    const reason = `the records that led to the snapshot after record ${seq} were pruned, so nothing can be compared with it`;
    throw new FemtoError("FEMTO_JOURNAL_PRUNED", reason);
  }
  const records = from === 0 ? "all records up to it" : `the records from ${from} up to it, on the snapshot before`;
  if (context.output.json) context.output.value({ seq, equal: true, compared });
  else context.output.line(`the snapshot after record ${seq} equals the fold of ${records}`);
  return EXIT.ok;
}

export async function exportSnapshot(
  context: CommandContext,
  seq: number,
  options: { readonly out: string },
): Promise<number> {
  const file = unreachedPlace(context, options.out);
  const snapshot = await withReader(context, (reader) => storedSnapshot(reader, seq));
  await writeNew(file, `${JSON.stringify(snapshot)}\n`);
  if (context.output.json) context.output.value({ seq, file });
  else context.output.line(`wrote ${file}`);
  return EXIT.ok;
}
