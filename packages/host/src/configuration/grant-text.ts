/** A proposed grant as the entry of femtoclaw.toml that an operator would write. */
import { basename, relative } from "node:path";
import type { GrantProposal } from "@femtoclaw/policy";
import { fetchText, mcpToolName, type ProgramUse } from "@femtoclaw/protocol";
import { findProgram } from "@femtoclaw/runtime/configuration";
import type { Insertion } from "./toml-insertion.ts";
import { tomlKey, tomlList, tomlString } from "./toml-text.ts";

export interface GrantContext {
  /** Canonical folder of the configuration, from which relative paths start. */
  readonly directory: string;
  readonly searchPath: readonly string[];
}

export function insertionOf(grant: GrantProposal, context: GrantContext): Insertion {
  switch (grant.table) {
    case "read":
    case "write":
      return { path: ["allow", grant.table], item: tomlString(writtenPath(grant.path, context.directory)) };
    case "run":
      return { path: ["allow", "run", programName(grant.program, context.searchPath)], item: useText(grant.use) };
    case "fetch":
      return { path: ["allow", "fetch"], item: tomlString(fetchText({ hosts: "one", ...grant })) };
    case "connect":
      return {
        path: ["sandbox", "connect", programName(grant.program, context.searchPath)],
        item: tomlString(fetchText({ hosts: "one", ...grant })),
      };
    case "tools":
      return { path: ["allow", "tools", mcpToolName(grant.server, grant.tool)], item: tomlString("*") };
    case "environment":
      return { path: ["sandbox", "env"], item: tomlString(grant.name) };
  }
}

/** The entry as one line with its table, for people; what is written may be an item of a list that is there. */
export function grantLine(grant: GrantProposal, context: GrantContext): string {
  const { path, item } = insertionOf(grant, context);
  const [table = "", key = "", program] = path;
  const value = program === undefined ? `[${item}]` : `{ ${tomlKey(program)} = [${item}] }`;
  return `[${table}] ${key} = ${value}`;
}

/** What lies in the project is named from there, so that the project can move. */
function writtenPath(path: string, directory: string): string {
  if (path === directory) return ".";
  const inside = path.startsWith(directory === "/" ? "/" : `${directory}/`);
  // The dot keeps a name that begins with a tilde from standing for a home.
  return inside && directory !== "/" ? `./${relative(directory, path)}` : path;
}

/** Its name where that leads to this very program, else the path. */
function programName(program: string, searchPath: readonly string[]): string {
  const found = findProgram(basename(program), searchPath);
  return "path" in found && found.path === program ? basename(program) : program;
}

function useText(use: ProgramUse): string {
  if (use.kind === "any") return use.unsafe ? "{ any = true, unsafe = true }" : '"*"';
  // INVARIANT: the text `"*"` means any arguments, and is written for nothing else.
  if (use.flags.length === 0 && use.word !== "*") return tomlString(use.word);
  return `{ word = ${tomlString(use.word)}, flags = ${tomlList(use.flags)} }`;
}
