/** Resolves the names in a run table to the programs that the search path finds on this machine. */
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, normalize } from "node:path";
import {
  jsonPointer,
  type ProgramGrant,
  type ProgramUse,
  printable,
  type RunRule,
  type RunTable,
} from "@femtoclaw/protocol";
import type { Places } from "./places.ts";

/** Where programs are looked up unless search_path says otherwise. The environment's PATH is never used. */
export const DEFAULT_SEARCH_PATH: readonly string[] = Object.freeze(["/usr/local/bin", "/usr/bin", "/bin"]);

/** The folders of the search path that exist. */
export function resolveSearchPath(written: readonly string[] | undefined, places: Places): readonly string[] {
  const folders = (written ?? DEFAULT_SEARCH_PATH).flatMap((folder, index) => {
    const shown = `\`${printable(folder)}\``;
    // INVARIANT: a relative folder is refused, because it would depend on the host's current directory.
    if (!isAbsolute(folder)) return places.fault(["search_path", index], `expected an absolute folder, found ${shown}`);
    if (folder.includes("\0") || folder.includes(":") || folder.split("/").includes("..")) {
      return places.fault(
        ["search_path", index],
        `a folder to look up programs in has no \`..\`, colon or NUL: ${shown}`,
      );
    }
    const plain = normalize(folder).replace(/(?<=.)\/$/, "");
    return statSync(plain, { throwIfNoEntry: false })?.isDirectory() === true ? [plain] : [];
  });
  return [...new Set(folders)];
}

export function resolveRunTable(
  place: readonly string[],
  table: RunTable | undefined,
  searchPath: readonly string[],
  places: Places,
): readonly ProgramGrant[] {
  return Object.entries(table ?? {}).flatMap(([program, rules]) => {
    const found = findPrograms(program, searchPath);
    if ("problem" in found) return places.fault([...place, program], found.problem);
    // INVARIANT: a name permits only the first program that the search path finds under it, but forbids every one.
    const meant = place.at(-2) === "allow" ? found.programs.slice(0, 1) : found.programs;
    return rules.flatMap((rule, index) => {
      const tokens = [...place, program, index];
      const use = programUse(rule);
      if ("problem" in use) return places.fault(tokens, use.problem);
      return meant.map((one) => ({ ...one, use, source: places.sourceOf(jsonPointer(tokens)) }));
    });
  });
}

/**
 * INVARIANT: a rule about a program holds under every name of its file. If another permitted program is the same file
 * by another hard link, the rule is applied to that one as well.
 */
export function withOtherNames(
  grants: readonly ProgramGrant[],
  permitted: readonly ProgramGrant[],
): readonly ProgramGrant[] {
  return grants.flatMap((grant) => {
    const others = permitted.filter(({ realPath }) => {
      return realPath !== grant.realPath && isSameFile(realPath, grant.realPath);
    });
    const names = new Map(others.map(({ path, realPath }) => [path, realPath]));
    return [grant, ...[...names].map(([path, realPath]) => ({ ...grant, path, realPath }))];
  });
}

function isSameFile(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => statSync(path, { bigint: true }));
  return a?.dev === b?.dev && a?.ino === b?.ino;
}

interface ProgramFile {
  readonly path: string;
  readonly realPath: string;
}

/** Looks a program up by its name, or by an absolute path in a folder of the search path. The first folder wins. */
export function findProgram(
  program: string,
  searchPath: readonly string[],
): ProgramFile | { readonly problem: string } {
  const found = findPrograms(program, searchPath);
  return "problem" in found ? found : found.programs[0];
}

type FoundPrograms = { readonly programs: readonly [ProgramFile, ...ProgramFile[]] } | { readonly problem: string };

function findPrograms(program: string, searchPath: readonly string[]): FoundPrograms {
  const shown = `\`${printable(program)}\``;
  const name = basename(program);
  const plain = program === name || (isAbsolute(program) && join(dirname(program), name) === program);
  if (!plain || name === "" || name === "." || name === ".." || program.includes("\0")) {
    return { problem: `expected the name of a program or its absolute path, found ${shown}` };
  }
  if (program !== name && !searchPath.includes(dirname(program))) {
    return { problem: `${shown} is not in a folder of search_path (${searchPath.join(", ")})` };
  }
  const folders = program === name ? searchPath : [dirname(program)];
  const paths = folders.map((folder) => join(folder, name)).filter(isProgram);
  const [first, ...others] = paths.map((path) => ({ path, realPath: realpathSync.native(path) }));
  if (first === undefined) return { problem: `there is no program ${shown} in search_path (${searchPath.join(", ")})` };
  // Folders that are links to each other hold one program, not two.
  const distinct = others.filter(({ realPath }, at) => {
    return realPath !== first.realPath && others.findIndex((other) => other.realPath === realPath) === at;
  });
  return { programs: [first, ...distinct] };
}

/** Whether this user can execute the file. */
export function isProgram(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function programUse(rule: RunRule): ProgramUse | { readonly problem: string } {
  if (rule === "*") return { kind: "any", unsafe: false };
  if (typeof rule === "string") return wordUse(rule, []);
  if ("any" in rule) return { kind: "any", unsafe: rule.unsafe ?? false };
  return wordUse(rule.word, rule.flags ?? []);
}

function wordUse(word: string, flags: readonly string[]): ProgramUse | { readonly problem: string } {
  if (word === "*") return { problem: 'the word "*" must be the only entry: write "*" or { any = true }' };
  if (word.startsWith("-")) {
    return { problem: `an option cannot be the first word; list \`${printable(word)}\` under flags of a word` };
  }
  return { kind: "word", word, flags: [...new Set(flags)] };
}
