/** Resolves the name of a program and its arguments into what would be started, where and how. */
import { accessSync, type BigIntStats, constants, fstatSync, statSync } from "node:fs";
import {
  type DeclaredProgram,
  flagFacts,
  LIMITS,
  namesByDescriptor,
  type ProgramQuestion,
  printable,
  systemErrorCode,
} from "@femtoclaw/protocol";
import { type SandboxView, visibilityOf } from "@femtoclaw/sandbox";
import type { JsonObject } from "../capability.ts";
import { textAt, textsAt, valueAt, variablesAt } from "./arguments.ts";
import type { BoundProgram, FileVersion } from "./bound-arguments.ts";
import type { NamedDescriptor } from "./named-descriptor.ts";
import { canonicalPathOf, holdOpen, resolveFolder } from "./path.ts";
import type { ProgramDigests } from "./program-digests.ts";
import { Refusal, refusalOf } from "./refusal.ts";

export interface ProgramRequest {
  readonly declared: DeclaredProgram;
  readonly args: JsonObject;
  readonly workspace: string;
  readonly searchPath: readonly string[];
  readonly sandbox: SandboxView | null;
  readonly digests: ProgramDigests;
  readonly platform: NodeJS.Platform;
}

export interface ResolvedProgram {
  readonly question: ProgramQuestion;
  readonly bound: BoundProgram;
}

export async function resolveProgram(request: ProgramRequest, held: DisposableStack): Promise<ResolvedProgram> {
  const { declared, args } = request;
  const name = textAt(args, declared.pointer);
  const argv = textsAt(args, declared.argv, LIMITS.argvItems);
  const environment = declared.env === undefined ? {} : variablesAt(args, declared.env);
  const file = findProgram(name, request, held);
  const version = versionOf(file.found);
  const { realPath, sha256 } = await examine(file, version, name, request.digests);
  const cwd = resolveCwd(request, held);
  const [word] = argv;
  return {
    bound: { kind: "program", path: file.path, realPath, version, sha256, args: argv, environment, cwd },
    question: {
      kind: "program",
      program: file.path,
      real_path: realPath,
      device: String(version.device),
      inode: String(version.inode),
      sha256,
      ...(word === undefined || word.startsWith("-") ? {} : { word }),
      arguments: argv.length,
      flags: flagsOf(argv),
      environment: Object.keys(environment).sort(),
      cwd,
    },
  };
}

/** Whether the path still leads to the very file that was decided on, unchanged. */
export function isUnchanged({ path, version }: BoundProgram): boolean {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined) return false;
  const now = versionOf(found);
  return Object.entries(version).every(([name, value]) => now[name as keyof FileVersion] === value);
}

/**
 * Sorted and distinct facts about the options among the arguments. What follows `--` counts too, because a program may
 * not know that its options have ended.
 */
export function flagsOf(argv: readonly string[]): string[] {
  const flags = argv.filter((argument) => argument.startsWith("-") && argument !== "-").flatMap(flagFacts);
  return [...new Set(flags)].sort();
}

interface FoundProgram {
  readonly path: string;
  readonly named: NamedDescriptor;
  readonly found: BigIntStats;
}

function findProgram(name: string, { searchPath, platform }: ProgramRequest, held: DisposableStack): FoundProgram {
  for (const path of candidates(name, searchPath)) {
    const program = holdProgram(path, platform, held);
    if (program !== null) return program;
  }
  throw new Refusal(`no program ${printable(name)} is in ${searchPath.join(", ")}`);
}

/** A bare name is sought in each folder in turn; a path must name a folder exactly as the search path writes it. */
function candidates(name: string, searchPath: readonly string[]): string[] {
  const cut = name.lastIndexOf("/");
  const leaf = name.slice(cut + 1);
  if (leaf === "" || leaf === "." || leaf === "..")
    throw new Refusal(`${printable(name)} is not a valid name of a program`);
  const folders = cut === -1 ? searchPath : searchPath.filter((folder) => folder === name.slice(0, cut));
  return folders.map((folder) => `${folder}/${leaf}`);
}

/** Holds the file to which the path leads: programs are often installed as a link in a folder of the search path. */
function holdProgram(path: string, platform: NodeJS.Platform, held: DisposableStack): FoundProgram | null {
  try {
    const named = holdOpen(path, 0, held, platform);
    const found = fstatSync(named.descriptor, { bigint: true });
    if (!found.isFile()) return null;
    // Elsewhere the name is checked; a file that cannot be executed does not start anyway.
    accessSync(namesByDescriptor(platform) ? `/proc/self/fd/${named.descriptor}` : named.name(), constants.X_OK);
    return { path, named, found };
  } catch (error) {
    // As in a shell, a file that cannot be executed is skipped for one in the next folder.
    if (systemErrorCode(error) === undefined) throw error;
    return null;
  }
}

function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileVersion {
  return { device: dev, inode: ino, size, modifiedNs: mtimeNs, changedNs: ctimeNs };
}

async function examine(
  { named, found }: FoundProgram,
  version: FileVersion,
  name: string,
  digests: ProgramDigests,
): Promise<{ realPath: string; sha256: string }> {
  try {
    return { realPath: canonicalPathOf(named, found, name), sha256: await digests.of(named.descriptor, version) };
  } catch (error) {
    throw refusalOf(error, name);
  }
}

function resolveCwd({ declared, args, workspace, sandbox, platform }: ProgramRequest, held: DisposableStack): string {
  const asked = declared.cwd === undefined ? undefined : valueAt(args, declared.cwd);
  const text = asked === undefined || declared.cwd === undefined ? workspace : textAt(args, declared.cwd);
  const { path } = resolveFolder(text, workspace, held, platform);
  const visibility = sandbox === null ? "readOnly" : visibilityOf(sandbox.mounts, path);
  if (visibility !== "readOnly" && visibility !== "readWrite") {
    throw new Refusal(`the folder ${printable(path)} is not visible inside the sandbox`);
  }
  return path;
}
