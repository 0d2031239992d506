/** A proposed grant as the entry of femtoclaw.toml that an operator would write. */
import { basename, relative } from "node:path";
import type { GrantProposal } from "@femtoclaw/policy";
import { fetchText, type McpGrant, mcpToolName, type ProgramUse, parseJson } from "@femtoclaw/protocol";
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
      return { path: ["allow", "tools", mcpToolName(grant.server, grant.tool)], item: toolUseText(grant.with) };
    case "environment":
      return { path: ["sandbox", "env"], item: tomlString(grant.name) };
  }
}

/** The entry with its table in one line, for people. In the file it may become an item of an existing list. */
export function grantLine(grant: GrantProposal, context: GrantContext): string {
  const { path, item } = insertionOf(grant, context);
  const [table = "", key = "", program] = path;
  const value = program === undefined ? `[${item}]` : `{ ${tomlKey(program)} = [${item}] }`;
  return `[${table}] ${key} = ${value}`;
}

/** A path inside the project is written relative to it, so that the project can be moved. */
function writtenPath(path: string, directory: string): string {
  if (path === directory) return ".";
  const inside = path.startsWith(directory === "/" ? "/" : `${directory}/`);
  // The leading dot keeps a name that begins with a tilde from meaning a home folder.
  return inside && directory !== "/" ? `./${relative(directory, path)}` : path;
}

/** The program's name if that is found as this very program, otherwise its path. */
function programName(program: string, searchPath: readonly string[]): string {
  const found = findProgram(basename(program), searchPath);
  return "path" in found && found.path === program ? basename(program) : program;
}

function toolUseText(uses: McpGrant["with"]): string {
  if (uses.length === 0) return tomlString("*");
  const named = uses.map(({ argument, values }) => {
    // In facts a value is JSON, preceded by its argument's name.
    const shown = values.map((text): unknown => parseJson(text.slice(argument.length + 1)));
    return `${tomlKey(argument)} = ${tomlList(shown.map(String))}`;
  });
  return `{ with = { ${named.join(", ")} } }`;
}

function useText(use: ProgramUse): string {
  if (use.kind === "any") return use.unsafe ? "{ any = true, unsafe = true }" : '"*"';
  // INVARIANT: the text `"*"` means any arguments, and is written for nothing else.
  if (use.flags.length === 0 && use.word !== "*") return tomlString(use.word);
  return `{ word = ${tomlString(use.word)}, flags = ${tomlList(use.flags)} }`;
}
