/**
 * What the journal holds of one terminal, page by page. It serves both a host that answers piece by piece and a stopped
 * journal.
 */
import type { JournalReader } from "@femtoclaw/journal";
import {
  FemtoError,
  LIMITS,
  printable,
  type RecordingPage,
  type TerminalRecord,
  type TypedRecord,
} from "@femtoclaw/protocol";

/** LIMIT: characters of one page, and records that are examined for it. */
const PAGE_CHARS = 1_048_576;
const PAGE_RECORDS = 20_000;

/** The page that begins at a record, or the first one. Throws FEMTO_TERMINAL_NOT_FOUND. */
export async function recordingPage(
  reader: JournalReader,
  terminal: string,
  from: number | null,
): Promise<RecordingPage> {
  const start = from ?? (await beginning(reader, terminal));
  const end = Math.min(reader.size, start + PAGE_RECORDS);
  const records: TerminalRecord[] = [];
  let chars = 0;
  for await (const stored of reader.read(start, end)) {
    if (!isOf(stored, terminal)) continue;
    const { record } = await reader.withValues(stored);
    records.push(record as TerminalRecord);
    if (record.type === "terminal.closed") return { records, next: null };
    if (record.type === "terminal.recorded") chars += record.body.text?.length ?? 0;
    if (chars >= PAGE_CHARS) return { records, next: record.seq + 1 };
  }
  return { records, next: end < reader.size ? end : null };
}

/** A terminal has the identifier of the execution that opened it, by which the journal finds its records. */
async function beginning(reader: JournalReader, terminal: string): Promise<number> {
  const [first] = await reader.locate(terminal);
  const prunedBefore = await reader.prunedBefore();
  if (first === undefined) throw notFound(terminal, prunedBefore);
  if (first < prunedBefore) return prunedBefore;
  for await (const record of reader.read(first, first + 1)) {
    const tool = "tool" in record.body ? record.body.tool : null;
    if (tool !== "terminal_open") throw notFound(terminal, prunedBefore);
  }
  return first;
}

function isOf(record: TypedRecord, terminal: string): record is TerminalRecord {
  switch (record.type) {
    case "terminal.opened":
    case "terminal.recorded":
    case "terminal.closed":
      return record.body.terminal === terminal;
    default:
      return false;
  }
}

function notFound(terminal: string, prunedBefore: number): FemtoError {
  const pruned = prunedBefore === 0 ? "" : `; what it knew from before record ${prunedBefore} was pruned`;
  const reason = `the journal knows no terminal \`${printable(terminal, LIMITS.labelChars)}\`${pruned}`;
  return new FemtoError("FEMTO_TERMINAL_NOT_FOUND", reason);
}
