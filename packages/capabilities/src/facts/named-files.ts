/**
 * The files that a call names and what they hold, for a question to an operator: who approves a call on a
 * file approves it on this content. Programs themselves are in the facts already, with their digests.
 */
import { closeSync, fstatSync, readlinkSync, statSync } from "node:fs";
import { type ApprovedFile, type Authority, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import type { BoundArgument, BoundArguments, BoundPath, BoundProgram } from "./bound-arguments.ts";
import { openToName } from "./named-descriptor.ts";
import { digestOf } from "./program-digests.ts";
import { Refusal } from "./refusal.ts";

/** The files, in the order of the arguments, or why nobody can be asked about them. */
export type NamedFiles =
  | { readonly ok: true; readonly files: readonly ApprovedFile[] }
  | { readonly ok: false; readonly reason: string };

/** What is no regular file is not among them. */
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
  // INVARIANT: I9: who proposes chooses the files, so what is read for all of them together has a limit.
  let leftBytes: number = LIMITS.approvalFileBytes;
  for (const path of new Set(bound.all.flatMap(namedBy))) {
    if (leadsThroughProcesses(path)) {
      const reason = `${printable(path)} leads through /proc, where the program finds another file than who looks at it`;
      return { ok: false, reason };
    }
    const file = await approvedFile(path, leftBytes, authority, platform);
    if (file === null) continue;
    // INVARIANT: I8: a yes binds each file that is named, so there is none to a call that names more than are looked at.
    if (files.length === LIMITS.approvalFiles) {
      return {
        ok: false,
        reason: `it names more than ${LIMITS.approvalFiles} files, which is more than are looked at`,
      };
    }
    files.push(file);
    if (file.sha256 !== null) leftBytes -= file.bytes;
  }
  return { ok: true, files };
}

/** What a terminal was opened with was looked at then. */
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

/** By its descriptor, so that it is the very file that the call will reach; only Linux takes calls on files. */
const targetOf = ({ type, target }: BoundPath): string[] =>
  type === "file" && target !== null ? [`${OWN_DESCRIPTORS}${target.descriptor}`] : [];

const OWN_DESCRIPTORS = "/proc/self/fd/";

/**
 * Arguments of a program may be files: a script, a patch, a list. INVARIANT: I8: what is looked at is what the kernel opens
 * by these very words from the folder of the call; with `..` worked out beforehand it would be another file behind a link.
 */
const operandsOf = ({ args, cwd }: BoundProgram): string[] =>
  args.flatMap(fileNames).map((name) => (name.startsWith("/") ? name : `${cwd}/${name}`));

/** What a program may take for a file's name: the whole, what stands behind `=`, `@` or a short option. */
function fileNames(argument: string): string[] {
  const equals = argument.indexOf("=");
  const value = equals === -1 ? "" : argument.slice(equals + 1);
  const isShort = /^-[^-]/.test(argument);
  const names = [argument.startsWith("-") ? "" : argument, value, isShort ? argument.slice(2) : ""];
  return names
    .flatMap((name) => [name, name.startsWith("@") ? name.slice(1) : ""])
    .filter((name) => name !== "" && name.length < LIMITS.pathBytes);
}

/** LIMIT: links on the way to one file, as the kernel has it. */
const LINKS_MAX = 40;

/**
 * Whether the way to it leads into `/proc`, where `self` is whoever asks and numbers are those of a namespace: the program
 * finds another file there than the host. Below `/dev` it finds what the call gave it, and no files.
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

/** Null for what is no link, or is not there. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

/** With these there is no file of that name, for the program neither: the argument is a word like any other. */
const NO_FILE = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

/**
 * Null for what is no regular file. INVARIANT: I8: what cannot be read is bound all the same, and nobody is asked about what
 * the host cannot even find: who may make a file unreadable for a moment, or takes all descriptors of the host, would
 * have a yes that binds nothing.
 */
async function approvedFile(
  path: string,
  bytesMax: number,
  authority: Authority,
  platform: NodeJS.Platform,
): Promise<ApprovedFile | null> {
  using held = new DisposableStack();
  try {
    // What is no regular file is not opened: a pipe would wait, and a device may act.
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

/** Null where it may not be read, or not now. */
async function readableDigest(descriptor: number, bytes: number): Promise<string | null> {
  try {
    return await digestOf(descriptor, bytes);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
}

/** INVARIANT: I10: of what is secret not even a digest enters the journal, from which a short text could be guessed. */
function isHidden(path: string, { workspace, allow, ask, deny, floor, sensitive }: Authority): boolean {
  const below = (folder: string): boolean => folder === "/" || path === folder || path.startsWith(`${folder}/`);
  const shown = [workspace, ...allow.read.map((grant) => grant.path)];
  const hidden = [...floor, ...[...ask.read, ...deny.read, ...(sensitive?.secret ?? [])].map((grant) => grant.path)];
  return hidden.some(below) || !shown.some(below);
}
