/** `audit`: what an auditor asks of the journal. Verifying needs no trust in the host, and changes nothing. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkProof, type LogVerdict, TilesSource, verifyDirectory, verifyLog } from "@femtoclaw/journal";
import { EXIT, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { pinnedKey } from "../key-pin.ts";
import type { ExportFormat } from "../log-access.ts";
import type { Erased } from "../retention.ts";
import type { Output } from "../terminal/output.ts";
import { table } from "../terminal/table.ts";
import { auditSource } from "./audit-source.ts";
import type { CommandContext } from "./command-context.ts";
import { hostAnswers } from "./host.ts";

export interface VerifyOptions {
  readonly key?: string;
  readonly checkpoint?: string;
}

/** A stopped state directory, a copy of one, or an exported tree; without a path the configured journal. */
export async function verify(
  context: CommandContext,
  path: string | undefined,
  options: VerifyOptions,
): Promise<number> {
  const stateDirectory = path === undefined ? context.load().resolved.stateDirectory : resolve(context.cwd, path);
  const pinned = options.key === undefined ? pinnedKey(context.environment, stateDirectory) : fileText(options.key);
  const checkpoint = options.checkpoint === undefined ? undefined : fileText(options.checkpoint, { trim: false });
  const expected = {
    ...(pinned === null ? {} : { pinned }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
  };
  const verdict = await verdictOn(context, path, stateDirectory, expected);
  if (context.output.json) context.output.value({ ...verdict, exit: exitOf(verdict) });
  else for (const line of verdictLines(verdict, context.output)) context.output.line(line);
  return exitOf(verdict);
}

async function verdictOn(
  context: CommandContext,
  path: string | undefined,
  directory: string,
  expected: { readonly pinned?: string; readonly checkpoint?: string },
): Promise<LogVerdict> {
  if (path === undefined && (await hostAnswers(context))) {
    // A host holds the journal, so what is verified is what it hands out: an export, read without trusting it.
    const folder = await mkdtemp(join(tmpdir(), "femtoclaw-audit-"));
    try {
      await using source = await auditSource(context);
      await source.export("tiles", join(folder, "log"), true);
      return await verifyLog({ ...expected, source: new TilesSource(join(folder, "log")) });
    } catch (error) {
      if (!(error instanceof FemtoError) || error.code !== "FEMTO_EXPORT_FAILED") throw error;
      // Nothing is wrong with the log; it only cannot be handed out whole while the host has it open.
      const reason = `the log cannot be verified while the host has it open: ${error.message}`;
      throw new FemtoError("FEMTO_JOURNAL_LOCKED", reason, {
        fix: "Run `femtoclaw down`, then `femtoclaw audit verify`.",
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  if (existsSync(join(directory, "checkpoint")))
    return await verifyLog({ ...expected, source: new TilesSource(directory) });
  const journal = join(directory, "journal");
  return await verifyDirectory(existsSync(journal) ? journal : directory, expected);
}

/** 0 is said only of a log that is right to its end and whose key was kept elsewhere. */
function exitOf({ verdict, pinned, unsignedTail }: LogVerdict): number {
  if (verdict === "tampered" || pinned === "differs") return EXIT.no;
  return verdict === "verified" && pinned === "matches" && unsignedTail === 0 ? EXIT.ok : EXIT.incomplete;
}

function verdictLines(verdict: LogVerdict, output: Output): string[] {
  const { size, root, signedSize, unsignedTail, keys, pinned, caveats, fault } = verdict;
  const colour = { verified: "green", tampered: "red", incomplete: "yellow", unverifiable: "yellow" } as const;
  const pins = {
    matches: "the log is of the key that was pinned outside of it",
    differs: output.style("red", "the log is not of the pinned key"),
    absent: "none is known, so the log can only be found to agree with itself",
  };
  const place = fault?.seq === null || fault === null ? "" : ` at record ${fault.seq}`;
  return table([
    ["verdict", output.style(colour[verdict.verdict], verdict.verdict)],
    ...(fault === null ? [] : [["fault", `${printable(fault.reason, 400)}${place}`]]),
    ["size", `${size} records`],
    ["root", root],
    ["signed", `${signedSize} records; ${unsignedTail} behind the last checkpoint`],
    ["witnessed", "none"],
    ["pinned key", pins[pinned]],
    ...caveats.map((caveat) => ["note", caveat]),
    ...keys.map(({ vkey, fromSize, retiredAtSize }) => [
      "key",
      `${vkey}, from size ${fromSize}${retiredAtSize === null ? "" : ` to ${retiredAtSize}`}`,
    ]),
  ]);
}

/** REF is a sequence number or the identifier of an execution, whose last record is meant. */
export async function prove(context: CommandContext, ref: string, options: { readonly out?: string }): Promise<number> {
  const { output } = context;
  await using source = await auditSource(context);
  const { seq, proof, record } = await source.prove(ref);
  if (options.out === undefined) {
    if (output.json) output.value({ seq, proof, record: record?.toString("utf8") ?? null });
    else process.stdout.write(proof);
    return EXIT.ok;
  }
  const file = resolve(context.cwd, options.out);
  writeFileSync(file, proof, { flag: "wx" });
  if (record === null) {
    if (output.json) output.value({ seq, proof: file, record: null });
    else output.line(`wrote ${file}; record ${seq} was pruned here, so take its bytes from a copy of yours`);
    return EXIT.ok;
  }
  writeFileSync(`${file}.record`, record, { flag: "wx" });
  if (output.json) output.value({ seq, proof: file, record: `${file}.record` });
  else output.line(`wrote ${file} and ${file}.record, the bytes of record ${seq}`);
  return EXIT.ok;
}

/** Needs the proof, the record and the public key, and nothing of this installation. */
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
    context.output.line(`proved: it is record ${result.index} of ${result.origin}, of ${result.size}`);
  else context.output.line(`not proved: ${result.reason}`);
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

/** The sizes at which the log was signed. */
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
  const out = resolve(context.cwd, options.out);
  await using source = await auditSource(context);
  const { size, values } = await source.export(options.format, out, options.withValues ?? false);
  if (output.json) output.value({ format: options.format, out, size, values });
  else {
    output.line(`wrote ${size} records as ${options.format} to ${out}`);
    output.line(
      values === null
        ? "without the values that records commit to"
        : `wrote ${values} values that records commit to, in clear, to ${out}.values.jsonl`,
    );
  }
  return EXIT.ok;
}

/** REF is a sequence number, or the identifier of an execution, all of whose records are meant. */
export async function erase(
  context: CommandContext,
  ref: string,
  options: { readonly field?: string; readonly reason: string },
): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const erased = (await operator.eraseValues({ ref, ...options })) as readonly Erased[];
  if (output.json) output.value(erased);
  else
    for (const { seq, paths, record } of erased)
      output.line(`erased ${paths.join(", ")} of record ${seq}, as record ${record} tells`);
  return EXIT.ok;
}

/** Says what goes, and lets it go only when that was asked for. */
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
    output.line(
      `${sure ? "dropped" : "would drop"} ${records} records below record ${before}, with the values beside them`,
    );
    output.line(`kept: record ${keep.join(", ")}, every hash and every checkpoint`);
    if (!sure) output.line("nothing was changed; export the log if its past is to stay readable, then add --yes");
  }
  return EXIT.ok;
}

/** A sequence number, or an age. */
export type PruneBoundary = { readonly before: number } | { readonly older_than_ms: number };

function fileBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FemtoError("FEMTO_USAGE", `${printable(path)} cannot be read: ${errorText(error)}`, { cause: error });
  }
}

function fileText(path: string, { trim = true } = {}): string {
  const text = fileBytes(path).toString("utf8");
  return trim ? text.trim() : text;
}
