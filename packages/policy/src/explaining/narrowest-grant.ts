/**
 * Proposes the narrowest table entries that would permit what was refused, and says what no entry can permit. A person
 * decides on the proposal. Whether it really permits the call is found out by deciding again.
 */
import {
  AGENT_RUN,
  type Authority,
  DEFAULT_PORTS,
  type FactQuestion,
  type HostQuestion,
  isReader,
  type McpGrant,
  type McpToolQuestion,
  OBEYED_IN_REPOSITORY,
  obeyedLaterPaths,
  type PathQuestion,
  type ProgramQuestion,
  type ProgramUse,
  printable,
  RESOURCE_READ,
} from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { ancestorsOrSelf, baseName } from "../tables/canonical-path.ts";
import { codeRunner } from "../tables/code-runners.ts";
import { isNeverSet } from "../tables/environment.ts";
import type { Explanation } from "./explain.ts";

interface Proposed {
  /** What a person should know before agreeing; null if the entry says it all. */
  readonly note: string | null;
  /**
   * Whether the entry lets an agent choose what code runs, or reach services that trust this machine. A script has to
   * confirm such an entry explicitly.
   */
  readonly dangerous: boolean;
}

/** One table entry that would permit a use, as narrow as a table can express it. */
export type GrantProposal = Proposed &
  (
    | { readonly table: "read" | "write"; readonly path: string }
    | { readonly table: "run"; readonly program: string; readonly realPath: string; readonly use: ProgramUse }
    | { readonly table: "fetch"; readonly host: string; readonly port: number | null }
    | { readonly table: "connect"; readonly program: string; readonly host: string; readonly port: number | null }
    | {
        readonly table: "tools";
        readonly server: string;
        readonly tool: string;
        /** Without any of these, the arguments do not matter. */
        readonly with: McpGrant["with"];
      }
    | { readonly table: "environment"; readonly name: string }
  );

/** What would change a refusal. */
export interface Remedy {
  /** Entries that together permit the question; empty if none can. */
  readonly grants: readonly GrantProposal[];
  /** Identifiers of the rules that forbid the question and that no entry outweighs. */
  readonly forbidding: readonly string[];
  /** Further reasons why no entry helps. */
  readonly obstacles: readonly string[];
}

/** A question that was refused, and why. */
interface RefusedQuestion {
  readonly question: FactQuestion;
  readonly action: Pick<PolicyAction, "name" | "resource" | "effect">;
  readonly explanation: Pick<Explanation, "permitting" | "forbidding">;
}

/** What the tables of this authority lack for the question. */
export function remedyFor({ question, action, explanation }: RefusedQuestion, authority: Authority): Remedy {
  const forbidding = new Set(explanation.forbidding);
  const grants: GrantProposal[] = [];
  const obstacles: string[] = [];
  if (forbidding.delete("floor/environment") && question.kind === "program") {
    const missing = question.environment.filter((name) => !authority.environmentNames.includes(name));
    const isListable = (name: string): boolean => VARIABLE.test(name) && !isNeverSet(name);
    const never = missing.filter((name) => !isListable(name)).map((name) => printable(name));
    if (never.length > 0) obstacles.push(`no call may ever set ${never.join(", ")}, which could choose what code runs`);
    grants.push(...missing.filter(isListable).map(environmentGrant));
  }
  if (question.kind === "host" && forbidsHost(forbidding)) {
    const isSpecial =
      SPECIAL.some((rule) => forbidding.has(rule)) && question.host !== bare(question.addresses[0] ?? "");
    for (const rule of HOST_FLOOR) forbidding.delete(rule);
    if (isSpecial) obstacles.push(`${printable(question.host)} leads to an address to which no name may lead`);
    else grants.push(hostGrant(question));
  } else if (forbidding.delete("floor/obeyed-later") && question.kind === "path") {
    const obeyed = new Set(obeyedLaterPaths(authority));
    const folders = ancestorsOrSelf(question.path);
    grants.push(...folders.filter((path) => obeyed.has(path)).map((path) => obeyedGrant(partOf(path, folders))));
  } else if (explanation.permitting.length === 0) {
    const grant = permitFor(question, action);
    if (typeof grant === "string") obstacles.push(grant);
    else grants.push(grant);
  }
  return { grants, forbidding: [...forbidding].sort(), obstacles };
}

/** The same pattern as in the configuration's schema. */
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The grant, or why there is none. */
function permitFor(question: FactQuestion, { name, effect }: RefusedQuestion["action"]): GrantProposal | string {
  if (question.kind === "path" && (effect === "read" || effect === "write")) return pathGrant(question, effect);
  if (name === AGENT_RUN) return "agents are launched by an entry under [launch] alone";
  if (question.kind === "program") return programGrant(question);
  if (question.kind === "host") return hostGrant(question);
  if (question.kind === "mcp_tool") return mcpGrant(question);
  return `no table allows ${printable(name)} by an entry of its own`;
}

/**
 * LIMIT: depth, counted in folders including the root, up to which a folder belongs to the machine rather than to a
 * project.
 */
const BROAD_DEPTH = 2;

function pathGrant({ path, type }: PathQuestion, table: "read" | "write"): GrantProposal {
  if (type !== "directory") return { table, path, note: null, dangerous: false };
  const note = "a folder is granted with everything below it";
  return { table, path, note, dangerous: ancestorsOrSelf(path).length <= BROAD_DEPTH };
}

/** For a repository: the part in which the file lies, if that part can be named by itself; otherwise the path. */
function partOf(path: string, folders: readonly string[]): string {
  if (baseName(path) !== ".git") return path;
  const parts = OBEYED_IN_REPOSITORY.map((name) => `${path.slice(0, -".git".length)}${name}`);
  return parts.find((part) => folders.includes(part)) ?? path;
}

function obeyedGrant(path: string): GrantProposal {
  const note =
    "tools run or obey later what stands there, outside the sandbox: anyone who writes it decides what is executed";
  return { table: "write", path, note, dangerous: true };
}

const SPECIAL = ["floor/special-address", "floor/connect/special-address"];
const HOST_FLOOR = [
  ...["floor/unlisted-host", "floor/private-address", "floor/connect/unlisted-host", "floor/connect/private-address"],
  ...SPECIAL,
];

/** Writes the address as a URL does. */
const bare = (address: string): string => (address.includes(":") ? `[${address}]` : address);

const forbidsHost = (rules: ReadonlySet<string>): boolean => HOST_FLOOR.some((rule) => rules.has(rule));

/** The very host and port. Hosts below a name are never proposed. */
function hostGrant({ scheme, host, port, network, program }: HostQuestion): GrantProposal {
  const found =
    program === undefined ? ({ table: "fetch", host } as const) : ({ table: "connect", program, host } as const);
  if (network === "public" || network === "unresolved") {
    const isPlain = scheme !== "http" && port === DEFAULT_PORTS.https;
    const note = scheme === "http" ? "http is neither encrypted nor authenticated" : null;
    return { ...found, port: isPlain ? null : port, note, dangerous: false };
  }
  const note = `it leads to a ${network.replace("_", "-")} address, where services trust everyone who reaches them`;
  return { ...found, port, note, dangerous: true };
}

function mcpGrant({ server, tool, destructive, values }: McpToolQuestion): GrantProposal {
  const argument = tool === RESOURCE_READ ? "uri" : "name";
  // The folders of a uri are facts too, but not what was read.
  const text = isReader(tool)
    ? values.find((one) => one.startsWith(`${argument}=`) && !one.endsWith('/*"'))
    : undefined;
  if (text !== undefined) {
    const note = "it is allowed for this one alone; a uri that ends with `/*` means a folder";
    return { table: "tools", server, tool, with: [{ argument, values: [text] }], note, dangerous: destructive };
  }
  const note = "it is allowed with any arguments; `with` in the entry says which values are meant";
  return { table: "tools", server, tool, with: [], note, dangerous: destructive };
}

function environmentGrant(name: string): GrantProposal {
  const note = "programs also inherit the host's value of the variable then";
  return { table: "environment", name, note, dangerous: false };
}

/**
 * Options that are known to lead to other code in some program. This is a hint to the operator, not a boundary: an
 * option that is not listed here is still permitted only as the entry states it.
 */
const LEADING_ELSEWHERE =
  /^(?:-{1,2}(?:exec|execdir|ok|okdir|eval|command|config|config-env|upload-pack|receive-pack|ext-diff|textconv|open-files-in-pager|pager|pre|compress-program|use-compress-program|to-command|checkpoint-action|info-script|rsh|script|script-shell|processorpath|plugin|require|init-file|rcfile)|-[ceEPOI])$/;

/** LIMIT: characters of a word, and options beside it, as in the configuration's schema. */
const WORD_CHARS = 256;
const FLAGS_MAX = 64;

function programGrant({ program, real_path, word, flags }: ProgramQuestion): GrantProposal | string {
  const found = { table: "run", program, realPath: real_path } as const;
  const name = printable(baseName(program));
  const runners = [codeRunner(program), codeRunner(real_path)];
  if (runners.includes("operands")) {
    const note = `${name} executes code that stands in its arguments, so this allows any code within the sandbox`;
    return { ...found, use: { kind: "any", unsafe: true }, note, dangerous: true };
  }
  const isRunner = runners.includes("options");
  // INVARIANT: the word `*` is never proposed, because in a table it stands for any arguments.
  if (word === undefined || word === "" || word === "*") {
    const cause = word === undefined ? "has no first word" : "has a first word that no entry can name";
    const note = `the call ${cause}, so only any arguments of ${name} can be allowed`;
    const unsafe = isRunner ? "; some of them execute other code" : "";
    return { ...found, use: { kind: "any", unsafe: isRunner }, note: `${note}${unsafe}`, dangerous: isRunner };
  }
  if (word.length > WORD_CHARS) return `an entry names no word of more than ${WORD_CHARS} characters`;
  if (flags.length > FLAGS_MAX) return `an entry lists at most ${FLAGS_MAX} options`;
  const leading = isRunner ? flags.filter((flag) => LEADING_ELSEWHERE.test(flag)) : [];
  const use = { kind: "word", word, flags } as const;
  if (leading.length === 0) return { ...found, use, note: null, dangerous: false };
  const shown = leading.map((flag) => printable(flag)).join(" ");
  return {
    ...found,
    use,
    note: `${shown} can lead to other code, which this allows within the sandbox`,
    dangerous: true,
  };
}
