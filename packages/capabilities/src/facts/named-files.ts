/**
 * The files that a call names and what they hold, for a question to an operator: who approves a call on a
 * file approves it on this content. Programs themselves are in the facts already, with their digests.
 */
import { closeSync, fstatSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type ApprovedFile, type Authority, LIMITS } from "@femtoclaw/protocol";
import type { BoundArgument, BoundArguments, BoundPath, BoundProgram } from "./bound-arguments.ts";
import { openToRead } from "./named-descriptor.ts";
import { digestOf } from "./program-digests.ts";

/** In the order of the arguments. What cannot be looked at is not among them; the call itself then fails on it. */
export async function namedFiles(
  bound: BoundArguments,
  authority: Authority,
  platform: NodeJS.Platform = process.platform,
): Promise<ApprovedFile[]> {
  const paths = bound.all.flatMap(namedBy);
  const files: ApprovedFile[] = [];
  // INVARIANT: I9: who proposes chooses the files, so what is read for all of them together has a limit.
  let leftBytes: number = LIMITS.approvalFileBytes;
  for (const path of new Set(paths)) {
    if (files.length === LIMITS.approvalFiles) break;
    const file = await approvedFile(path, leftBytes, authority, platform);
    if (file === null) continue;
    files.push(file);
    if (file.sha256 !== null) leftBytes -= file.bytes;
  }
  return files;
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
  type === "file" && target !== null ? [`/proc/self/fd/${target.descriptor}`] : [];

/** Arguments of a program may be files: a script, a patch, a list. Options are none. */
const operandsOf = ({ args, cwd }: BoundProgram): string[] =>
  args.filter((argument) => argument !== "" && !argument.startsWith("-")).map((argument) => resolve(cwd, argument));

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
    const { descriptor, name } = openToRead(path, platform);
    held.defer(() => closeSync(descriptor));
    const found = fstatSync(descriptor, { bigint: true });
    if (!found.isFile()) return null;
    const real = name().toString();
    const bytes = Number(found.size);
    if (bytes > bytesMax || isHidden(real, authority)) {
      return { path: real, bytes, sha256: null, changed: String(found.ctimeNs) };
    }
    return { path: real, bytes, sha256: await digestOf(descriptor, bytes) };
  } catch {
    // Who cannot look at it cannot run it either; and what is no file is a word like any other.
    return null;
  }
}

/** Of what is secret not even a digest enters the journal, from which a short text could be guessed. */
function isHidden(path: string, { workspace, allow, ask, deny, floor }: Authority): boolean {
  const below = (folder: string): boolean => folder === "/" || path === folder || path.startsWith(`${folder}/`);
  const shown = [workspace, ...allow.read.map((grant) => grant.path)];
  const hidden = [...floor, ...[...ask.read, ...deny.read].map((grant) => grant.path)];
  return hidden.some(below) || !shown.some(below);
}
