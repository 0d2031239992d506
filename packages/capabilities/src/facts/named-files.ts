/**
 * The files named by a call and what they hold, for a question to an operator: anyone who approves a call on a file
 * approves this content. Programs themselves are in the facts already, with their digests.
 */
import { closeSync, fstatSync, readlinkSync, statSync } from "node:fs";
import { type ApprovedFile, type Authority, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundArgument, BoundArguments, BoundPath, BoundProgram } from "./bound-arguments.ts";
import { openToName } from "./named-descriptor.ts";
import { digestOf } from "./program-digests.ts";
import { Refusal } from "./refusal.ts";

/** The files in the order of the arguments, or why nobody can be asked about them. */
export type NamedFiles =
  | { readonly ok: true; readonly files: readonly ApprovedFile[] }
  | { readonly ok: false; readonly reason: string };

/** Anything but a regular file is left out. */
export async function namedFiles(
  bound: BoundArguments,
  authority: Authority,
  platform: NodeJS.Platform = process.platform,
): Promise<NamedFiles> {
  try {
    return await filesNamedBy(bound, authority, platform);
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

async function filesNamedBy(
  bound: BoundArguments,
  authority: Authority,
  platform: NodeJS.Platform,
): Promise<NamedFiles> {
  const files: ApprovedFile[] = [];
  // INVARIANT: I9: an agent chooses the files, so the bytes read for all of them together have a limit.
  let leftBytes: number = LIMITS.approvalFileBytes;
  for (const path of new Set(bound.all.flatMap(namedBy))) {
    if (leadsThroughProcesses(path)) {
      const reason = `${printable(path)} leads through /proc, where the program would find a different file than the host`;
      return { ok: false, reason };
    }
    const file = await approvedFile(path, leftBytes, authority, platform);
    if (file === null) continue;
    // INVARIANT: I8: an approval binds every named file, so a call that names more than are examined cannot be
    // approved.
    if (files.length === LIMITS.approvalFiles) {
      return {
        ok: false,
        reason: `it names more than ${LIMITS.approvalFiles} files, which is the limit`,
      };
    }
    files.push(file);
    if (file.sha256 !== null) leftBytes -= file.bytes;
  }
  return { ok: true, files };
}

/** The files of a terminal were examined when it was opened. */
function namedBy(bound: BoundArgument): string[] {
  switch (bound.kind) {
    case "path":
      return targetOf(bound);
    case "program":
      return operandsOf(bound);
    case "terminal":
    case "host":
    case "mcp_tool":
      return [];
  }
}

/**
 * The target is named by its descriptor, so it is the very file that the call will reach; only Linux takes calls on
 * files.
 */
const targetOf = ({ type, target }: BoundPath): string[] =>
  type === "file" && target !== null ? [`${OWN_DESCRIPTORS}${target.descriptor}`] : [];

const OWN_DESCRIPTORS = "/proc/self/fd/";

/**
 * Arguments of a program may name files: a script, a patch, a list. INVARIANT: I8: the host examines what the kernel
 * opens by exactly these words from the folder of the call; resolving `..` first could lead to another file behind a
 * link.
 */
const operandsOf = ({ args, cwd }: BoundProgram): string[] =>
  args.flatMap(fileNames).map((name) => (name.startsWith("/") ? name : `${cwd}/${name}`));

/**
 * What a program may take for a file name: the whole argument, or what follows a short option, or the first or the last
 * `=` or `@`. LIMIT: what lies between these is not tried, because an argument may consist of such signs.
 */
function fileNames(argument: string): string[] {
  const behind = ["=", "@"]
    .flatMap((sign) => [argument.indexOf(sign), argument.lastIndexOf(sign)])
    .flatMap((at) => (at === -1 ? [] : argument.slice(at + 1)));
  const whole = argument.startsWith("-") ? "" : argument;
  const names = [whole, /^-[^-]/.test(argument) ? argument.slice(2) : "", ...behind];
  return names
    .flatMap((name) => [name, name.startsWith("@") ? name.slice(1) : ""])
    .filter((name) => name !== "" && name.length < LIMITS.pathBytes);
}

/** LIMIT: links on the way to one file, as many as the kernel follows. */
const LINKS_MAX = 40;

/**
 * Whether the path leads into `/proc`, where `self` is the reading process and numbers belong to a namespace, so the
 * program finds another file there than the host. Below `/dev` a program only finds what the call gave it, which are no files.
 */
function leadsThroughProcesses(path: string): boolean {
  if (path.startsWith(OWN_DESCRIPTORS)) return false;
  const ahead = path.split("/");
  let reached = "";
  for (let links = 0; links <= LINKS_MAX; ) {
    const name = ahead.shift();
    if (name === undefined) return false;
    if (name === "" || name === ".") continue;
    const next = name === ".." ? reached.slice(0, Math.max(reached.lastIndexOf("/"), 0)) : `${reached}/${name}`;
    if (next === "/proc") return true;
    if (next === "/dev" && !ahead.includes("..")) return false;
    const target = name === ".." ? null : linkTarget(next);
    if (target === null) reached = next;
    else {
      links += 1;
      ahead.unshift(...target.split("/"));
      if (target.startsWith("/")) reached = "";
    }
  }
  return false;
}

/** Null if there is no link or nothing at all. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** These errors mean that no such file exists for the program either: the argument is just a word. */
const NO_FILE = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

/**
 * Null for anything but a regular file. INVARIANT: I8: a file that cannot be read is still bound, and nobody is asked
 * about one that the host cannot examine. Otherwise anyone who makes a file unreadable for a moment, or uses up the
 * host's descriptors, would get an approval that binds nothing.
 */
async function approvedFile(
  path: string,
  bytesMax: number,
  authority: Authority,
  platform: NodeJS.Platform,
): Promise<ApprovedFile | null> {
  using held = new DisposableStack();
  try {
    // Only regular files are opened: a pipe would block, and a device may act.
    if (!statSync(path).isFile()) return null;
    const { descriptor, name } = openToName(path, 0, platform);
    held.defer(() => closeSync(descriptor));
    const found = fstatSync(descriptor, { bigint: true });
    if (!found.isFile()) return null;
    const file = { path: name().toString(), bytes: Number(found.size) };
    const isRead = file.bytes <= bytesMax && !isHidden(file.path, authority);
    const sha256 = isRead ? await readableDigest(descriptor, file.bytes) : null;
    return sha256 === null ? { ...file, sha256, changed: String(found.ctimeNs) } : { ...file, sha256 };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (NO_FILE.includes(code)) return null;
    throw new Refusal(`${printable(path)} may not be examined (${code})`);
  }
}

/** Null if the file cannot be read, or not now. */
async function readableDigest(descriptor: number, bytes: number): Promise<string | null> {
  try {
    return await digestOf(descriptor, bytes);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
}

/** INVARIANT: I10: not even a digest of a secret enters the journal, because a short text could be guessed from it. */
function isHidden(path: string, { workspace, allow, ask, deny, floor, sensitive }: Authority): boolean {
  const below = (folder: string): boolean => folder === "/" || path === folder || path.startsWith(`${folder}/`);
  const shown = [workspace, ...allow.read.map((grant) => grant.path)];
  const hidden = [...floor, ...[...ask.read, ...deny.read, ...(sensitive?.secret ?? [])].map((grant) => grant.path)];
  return hidden.some(below) || !shown.some(below);
}
