/** `audit`: what an auditor asks about the journal. Verification changes nothing and needs no trust in the host. */
import { existsSync, lstatSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  checkProof,
  type HeldCheckpoint,
  type LogVerdict,
  type VerifyOptions as LogVerification,
  TilesSource,
  verifyDirectory,
  verifyLog,
} from "@femtoclaw/journal";
import type { RememberedLog } from "@femtoclaw/journal/known-log";
import { EXIT, errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { exportOfHost } from "../../log/host-export.ts";
import type { ExportFormat } from "../../log/log-access.ts";
import { bytesWithin } from "../../named-file.ts";
import { writeNewTogether } from "../../new-file.ts";
import type { Output } from "../../terminal/output.ts";
import { wordTable } from "../../terminal/table.ts";
import { witnessEvidence } from "../../witness/evidence.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";
import { unreachedPlace } from "../unreached-place.ts";
import { auditSource } from "./audit-source.ts";

export interface VerifyOptions {
  readonly key?: string;
  readonly checkpoint?: string;
  readonly witness?: string;
}

/**
 * `path` is a stopped state directory, a copy of one, or an exported tree. Without a path, the configured journal is
 * verified.
 */
export async function verify(
  context: CommandContext,
  path: string | undefined,
  options: VerifyOptions,
): Promise<number> {
  const configured = path === undefined ? context.load().resolved : null;
  const stateDirectory = configured?.stateDirectory ?? resolve(context.cwd, path ?? "");
  if (path !== undefined) assertFolder(stateDirectory);
  // If both the key and the checkpoint are given, nothing that is remembered here is needed, so it may even be damaged.
  const needed = options.key === undefined || options.checkpoint === undefined;
  const remembered = needed ? await context.logMemoryAt(stateDirectory).remembered() : null;
  const pinned = options.key === undefined ? remembered?.firstKey : fileText(options.key);
  const checkpoint = options.checkpoint === undefined ? undefined : fileText(options.checkpoint, { trim: false });
  const seen = options.checkpoint === undefined && remembered !== null ? [seenBefore(remembered)] : [];
  // The evidence of witnesses is gathered before the log is read, because a witness may meanwhile take a checkpoint
  // that lies beyond the end of what is verified.
  const { held, faults, notes } = await witnessEvidence({
    stateDirectory,
    settings: configured?.witnesses ?? [],
    file: options.witness === undefined ? undefined : resolve(context.cwd, options.witness),
  });
  const expected = {
    ...(pinned === undefined ? {} : { pinned }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    held: [...held, ...seen],
  };
  const verdict = await verdictOn(context, path, stateDirectory, expected);
  const exit = exitOf(verdict, faults);
  if (context.output.json) context.output.value({ ...verdict, witnessFaults: faults, witnessNotes: notes, exit });
  else for (const line of verdictLines(verdict, [...faults, ...notes], context.output)) context.output.prose(line);
  return exit;
}

function assertFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return;
  throw new FemtoError("FEMTO_STATE_NOT_FOUND", `${printable(path, 4_096)} is a file and not a folder`, {
    fix: "Name a state directory, a copy of one, or a folder that `femtoclaw audit export --format tiles` wrote. The other formats of an export contain nothing that could be verified.",
  });
}

/** Not kept elsewhere: an attacker who can write to the state directory can mostly write to this memory as well. */
function seenBefore({ checkpoint, seenAt }: RememberedLog): HeldCheckpoint {
  const whose = `the checkpoint that was seen here at ${seenAt}`;
  return { note: checkpoint, whose, witnessed: false, elsewhere: false };
}

async function verdictOn(
  context: CommandContext,
  path: string | undefined,
  directory: string,
  expected: Omit<LogVerification, "source">,
): Promise<LogVerdict> {
  if (path === undefined && (await hostAnswers(context))) {
    await using exported = await exportOfHost(context);
    return await verifyLog({ ...expected, source: new TilesSource(exported.folder) });
  }
  if (existsSync(join(directory, "checkpoint")))
    return await verifyLog({ ...expected, source: new TilesSource(directory) });
  const journal = join(directory, "journal");
  return await verifyDirectory(existsSync(journal) ? journal : directory, expected);
}

/** 0 only if the log is valid to its end, its key is the one known before, and no witness is at fault. */
export function exitOf({ verdict, pinned, unsignedTail }: LogVerdict, witnessFaults: readonly string[]): number {
  // A key that differs is no reason for EXIT.no by itself: a fault that is no forgery, met before any signature, says
  // nothing against the key.
  if (verdict === "tampered") return EXIT.no;
  const isRight = verdict === "verified" && pinned === "matches" && unsignedTail === 0 && witnessFaults.length === 0;
  return isRight ? EXIT.ok : EXIT.incomplete;
}

export function verdictLines(verdict: LogVerdict, onWitnesses: readonly string[], output: Output): string[] {
  const { size, root, signedSize, witnessedSize, unsignedTail, keys, pinned, signedAnswers, caveats, fault } = verdict;
  const colour = { verified: "green", tampered: "red", incomplete: "yellow", unverifiable: "yellow" } as const;
  const known = {
    matches: "the log is of this key",
    differs:
      verdict.verdict === "tampered" && signedSize > 0
        ? output.style("red", "the log is not of this key")
        : "no signature could be compared with it",
    absent: "none is known, so the log can only be found to agree with itself",
  };
  const rows = [
    ["verdict", output.style(colour[verdict.verdict], verdict.verdict)],
    ...(fault === null ? [] : [["fault", `record ${fault.seq}: ${printable(fault.reason, 400)}`]]),
    ["size", `${size} records`],
    // The root over nothing is a constant, which an auditor could take for that of a log.
    ["root", size === 0 ? "none, because no record could be vouched for" : root],
    ["signed", signedSize === 0 ? "none" : `${signedSize} records; ${unsignedTail} behind the last checkpoint`],
    ["witnessed", witnessedSize === null ? "none" : `${witnessedSize} records`],
    ["known key", known[pinned]],
    ...(signedAnswers === 0 ? [] : [["answers", `${signedAnswers} signed by operators, and the signatures hold`]]),
    ...[...onWitnesses, ...caveats].map((caveat) => ["note", printable(caveat, 400)]),
    ...keys.map(({ vkey, fromSize, retiredAtSize }) => [
      "key",
      `${vkey}, from size ${fromSize}${retiredAtSize === null ? "" : ` to ${retiredAtSize}`}`,
    ]),
  ];
  return wordTable(rows, output.dataColumns);
}

/** REF is a sequence number, or the identifier of an execution, which stands for its last record. */
export async function prove(context: CommandContext, ref: string, options: { readonly out?: string }): Promise<number> {
  const { output } = context;
  const file = options.out === undefined ? null : unreachedPlace(context, options.out);
  await using source = await auditSource(context);
  const { seq, proof, record } = await source.prove(ref);
  if (file === null) {
    if (output.json) output.value({ seq, proof, record: record?.toString("utf8") ?? null });
    else process.stdout.write(proof);
    return EXIT.ok;
  }
  const beside = record === null ? [] : [[`${file}.record`, record] as const];
  await writeNewTogether(new Map<string, string | Uint8Array>([[file, proof], ...beside]));
  if (record === null) {
    if (output.json) output.value({ seq, proof: file, record: null });
    else output.prose(`wrote ${file}; record ${seq} was pruned here, so take its bytes from a copy of yours`);
    return EXIT.ok;
  }
  if (output.json) output.value({ seq, proof: file, record: `${file}.record` });
  else output.prose(`wrote ${file} and ${file}.record, the bytes of record ${seq}`);
  return EXIT.ok;
}

/** Needs only the proof, the record and the public key. Nothing of this installation is used. */
export function check(
  context: CommandContext,
  proof: string,
  options: { readonly record: string; readonly key: string },
): number {
  const result = checkProof({
    proof: fileText(proof, { trim: false }),
    recordBytes: fileBytes(options.record),
    vkey: fileText(options.key),
  });
  if (context.output.json) context.output.value(result);
  else if (result.ok)
    context.output.prose(`proved: it is record ${result.index} of ${result.origin}, of ${result.size}`);
  else context.output.prose(`not proved: ${result.reason}`);
  return result.ok ? EXIT.ok : EXIT.no;
}

/** A fresh checkpoint of a running host, or the newest one of a stopped journal. */
export async function checkpoint(context: CommandContext): Promise<number> {
  await using source = await auditSource(context);
  const note = await source.checkpoint();
  if (note === null) throw new FemtoError("FEMTO_JOURNAL_UNSIGNED", "the journal has no checkpoint yet");
  if (context.output.json) context.output.value({ checkpoint: note });
  else process.stdout.write(note);
  return EXIT.ok;
}

/** Lists the sizes at which the log was signed. */
export async function log(context: CommandContext): Promise<number> {
  await using source = await auditSource(context);
  const sizes = await source.checkpoints();
  if (context.output.json) context.output.value(sizes);
  else for (const size of sizes) context.output.line(`checkpoint of ${size} records`);
  return EXIT.ok;
}

export async function exportLog(
  context: CommandContext,
  options: { readonly format: ExportFormat; readonly out: string; readonly withValues?: boolean },
): Promise<number> {
  const { output } = context;
  const out = unreachedPlace(context, options.out);
  await using source = await auditSource(context);
  const { size, values } = await source.export({ format: options.format, out, values: options.withValues ?? false });
  if (output.json) output.value({ format: options.format, out, size, values });
  else {
    output.prose(`wrote ${size} records as ${options.format} to ${out}`);
    output.prose(
      values === null
        ? "without the values that records commit to"
        : `wrote the ${values === 1 ? "value" : `${values} values`} that records commit to, in clear, to ${out}.values.jsonl`,
    );
  }
  return EXIT.ok;
}

/** REF is a sequence number, or the identifier of an execution, which stands for all of its records. */
export async function erase(
  context: CommandContext,
  ref: string,
  options: { readonly field?: string; readonly reason: string },
): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const erased = await operator.eraseValues({ ref, ...options });
  if (output.json) output.value(erased);
  else
    for (const { seq, paths, record } of erased)
      output.prose(`erased ${paths.join(", ")} of record ${seq}, as record ${record} tells`);
  return EXIT.ok;
}

/** Tells what would be dropped, and drops it only with `--yes`. */
export async function prune(
  context: CommandContext,
  options: { readonly before: PruneBoundary; readonly yes?: boolean },
): Promise<number> {
  const { output } = context;
  const sure = options.yes ?? false;
  await using operator = await context.operator();
  const { before, records, keep } = await operator.prune({ ...options.before, sure });
  if (output.json) output.value({ before, records, keep, pruned: sure });
  else {
    output.prose(
      `${sure ? "dropped" : "would drop"} ${records} records below record ${before}, with the values beside them`,
    );
    output.prose(`kept: record ${keep.join(", ")}, every hash and every checkpoint`);
    if (!sure) output.prose("nothing was changed; export the log if its past is to stay readable, then add --yes");
  }
  return EXIT.ok;
}

/** Where to stop pruning: before a sequence number, or at an age. */
export type PruneBoundary = { readonly before: number } | { readonly older_than_ms: number };

/**
 * LIMIT: bytes of a file that is named beside a log, because a stranger may have made the file. The largest that is
 * needed is a record of 64 KiB.
 */
const NAMED_BYTES_MAX = 1_048_576;

function fileBytes(path: string): Buffer {
  let bytes: Buffer | null;
  try {
    bytes = bytesWithin(path, NAMED_BYTES_MAX);
  } catch (error) {
    const reason = `${printable(path, 4_096)} cannot be read: ${systemErrorCode(error) ?? errorText(error)}`;
    const fix = "Name a file that exists and that you can read.";
    throw new FemtoError("FEMTO_USAGE", reason, { fix, cause: error });
  }
  if (bytes !== null) return bytes;
  const reason = `${printable(path)} has more than ${NAMED_BYTES_MAX} bytes, so it is no key, checkpoint, proof or record`;
  throw new FemtoError("FEMTO_USAGE", reason);
}

export function fileText(path: string, { trim = true } = {}): string {
  const text = fileBytes(path).toString("utf8");
  return trim ? text.trim() : text;
}
