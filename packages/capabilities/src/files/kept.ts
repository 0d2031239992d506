/**
 * What stands at the paths of a call before it changes them, so that an operator can undo it. It is taken through the
 * descriptors that the facts hold, between the decision and the intent.
 */
import { type BigIntStats, constants, fstatSync } from "node:fs";
import { type Authority, type KeptPath, LIMITS, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundArguments, BoundPath, HeldFile } from "../facts/bound-arguments.ts";
import { contentText } from "./content.ts";
import { PART_BYTES, type Pace } from "./pace.ts";
import { reopen } from "./path-argument.ts";

/** What stood at a path before the effect. */
export interface Kept {
  /** What the intent says of it. */
  readonly entry: KeptPath;
  readonly content: Buffer | null;
  /** By which a change that came in between is noticed; null where nothing stood there. */
  readonly state: string | null;
}

export interface Keeping {
  readonly keeps: "content" | "names";
  readonly authority: Authority;
  /** Whether the text holds what no record may hold. */
  isSecret(text: string): boolean;
}

/** One for each path that the call may create, and for each folder on the way there. */
export async function keepBefore(bound: BoundArguments, keeping: Keeping): Promise<Kept[]> {
  const paths = bound.all.flatMap((one) => (one.kind === "path" && one.parent !== null ? [one] : []));
  return (await Promise.all(paths.map((path) => keptOf(path, keeping)))).flat();
}

async function keptOf({ path, type, target, further }: BoundPath, keeping: Keeping): Promise<Kept[]> {
  if (target === null) {
    const missing = [path, ...further.map((_, index) => [path, ...further.slice(0, index + 1)].join("/"))];
    return missing.map((one) => ({ entry: { path: one, type: "missing" }, content: null, state: null }));
  }
  const found = fstatSync(target.descriptor, { bigint: true });
  const state = stateOf(found);
  if (type !== "file") return [{ entry: { path, type }, content: null, state }];
  const bytes = Number(found.size);
  if (keeping.keeps === "names") return [{ entry: { path, type, bytes }, content: null, state }];
  return [{ state, ...(await contentOf(path, target, found, keeping)) }];
}

// INVARIANT: I10: what is secret is in no record, also where it is what stood there before.
async function contentOf(
  path: string,
  target: HeldFile,
  { size, nlink }: BigIntStats,
  { authority, isSecret }: Keeping,
): Promise<Pick<Kept, "entry" | "content">> {
  const entry = { path, type: "file" as const, bytes: Number(size) };
  const lost = (why: KeptPath["lost"] & string) => ({ entry: { ...entry, lost: why }, content: null });
  // A file that is put in its place again would have this one name only.
  if (nlink > 1n) return lost("linked");
  if (size > LIMITS.keptBytes) return lost("large");
  if (isSecretPlace(path, authority)) return lost("secret");
  const content = await readWhole(target, LIMITS.keptBytes).catch((error: unknown) => {
    if (systemErrorCode(error) === undefined) throw error;
    return "unreadable" as const;
  });
  if (content === "unreadable" || content === null) return lost(content ?? "large");
  const text = contentText(content, "utf8");
  if (isSecret(text ?? content.toString("latin1"))) return lost("secret");
  const encoded = text ?? content.toString("base64");
  return {
    entry: { ...entry, bytes: content.length, content: encoded, encoding: text === null ? "base64" : "utf8" },
    content,
  };
}

function isSecretPlace(path: string, { sensitive }: Authority): boolean {
  return (sensitive?.secret ?? []).some((grant) => path === grant.path || path.startsWith(`${grant.path}/`));
}

/** Decides by the first bytes of a file, at most so many, whether the rest is read too. */
export interface Glance {
  readonly bytes: number;
  isWanted(head: Buffer): boolean;
}

/**
 * The bytes of a regular file; null where it has more than these, whatever size it claims, or where a glance at it is
 * enough.
 */
export async function readWhole(target: HeldFile, bytesMax: number, glance?: Glance): Promise<Buffer | null> {
  await using file = await reopen(target, constants.O_RDONLY);
  const buffer = Buffer.allocUnsafeSlow(Math.min(Number((await file.stat()).size), bytesMax) + 1);
  for (let filled = 0; ; ) {
    const most = filled === 0 && glance !== undefined ? glance.bytes : buffer.length;
    const { bytesRead } = await file.read(buffer, filled, Math.min(most, buffer.length - filled), filled);
    if (filled === 0 && glance?.isWanted(buffer.subarray(0, bytesRead)) === false) return null;
    filled += bytesRead;
    if (bytesRead === 0) return buffer.subarray(0, filled);
    // It has grown since; what fills the buffer is no whole file.
    if (filled === buffer.length) return null;
  }
}

/** The bytes of a regular file between two places, as far as there are any, part by part; each is there until the next. */
export async function* partsOf(
  target: HeldFile,
  { from, to }: { readonly from: number; readonly to: number },
  pace: Pace,
): AsyncGenerator<Buffer, void, void> {
  await using file = await reopen(target, constants.O_RDONLY);
  const buffer = Buffer.allocUnsafeSlow(PART_BYTES);
  for (let at = from; at < to; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, to - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
    await pace.looked(bytesRead);
  }
}

/** By which people and agents know a file or folder again. */
export function versionOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino}.${size}.${mtimeNs}`;
}

/** The same, and what changes with its owner, mode and names. */
export function stateOf(found: BigIntStats): string {
  return `${versionOf(found)}.${found.ctimeNs}`;
}
