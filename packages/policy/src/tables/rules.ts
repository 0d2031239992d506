/**
 * The operator's tables and the built-in floor as Cedar policies: one policy for each entry, so that a decision names
 * the line behind it. Lists become sets; the order of policies never matters.
 */
import {
  AGENT_RUN,
  type Authority,
  flagParts,
  type GrantTable,
  namedRepositoryParts,
  obeyedLaterPaths,
  type PathGrant,
  type ProgramGrant,
  printable,
} from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { baseName } from "./canonical-path.ts";
import { entity, literal, onlyAmong, type PolicyParts, set } from "./cedar-text.ts";
import { isNeverSet } from "./environment.ts";
import { fetchRules, hostFloor } from "./fetch-rules.ts";
import { mcpRules } from "./mcp-rules.ts";
import {
  type CompiledRule,
  entryRule,
  forbids,
  type Mood,
  numbered,
  onceConditions,
  rule,
  type Terms,
  when,
} from "./table-rule.ts";

/** A capability permitted by its name alone. */
export interface ToolGrant {
  readonly name: string;
  readonly source: string;
}

const named = (actions: readonly PolicyAction[]): string[] => actions.map(({ name }) => name);

/** Actions that start a program, or use a running one. */
export const startActions = (actions: readonly PolicyAction[]): string[] =>
  named(actions.filter(({ resource }) => resource === "Program"));

/**
 * The same, but only for calls. INVARIANT: I8: what permits calls to run a program does not permit launching it as an
 * agent.
 */
export const programActions = (actions: readonly PolicyAction[]): string[] =>
  startActions(actions).filter((name) => name !== AGENT_RUN);

export const pathActions = (
  actions: readonly PolicyAction[],
  effects: (effect: PolicyAction["effect"]) => boolean = () => true,
): string[] => named(actions.filter(({ resource, effect }) => resource === "Path" && effects(effect)));

/** Rules that no entry of the operator can override. */
export function floorRules(authority: Authority, actions: readonly PolicyAction[]): CompiledRule[] {
  const { floor, environmentNames } = authority;
  // INVARIANT: a call sets only listed variables, and never one that chooses what code a program runs.
  const settable = environmentNames.filter((name) => !isNeverSet(name));
  const environment = rule(
    {
      effect: "forbid",
      actions: programActions(actions),
      clause: { kind: "unless", condition: onlyAmong("environment", settable) },
    },
    {
      id: "floor/environment",
      source: null,
      reason: "a call may set only variables that are listed, and none that chooses what code runs",
      fix: "name the variable under [sandbox].env; PATH, LD_*, NODE_OPTIONS and the like are never taken from a call",
    },
  );
  // INVARIANT: files that tools run or obey later are not written unless the operator named the very path.
  const obeyedLater = rule(
    {
      effect: "forbid",
      actions: pathActions(actions, (effect) => effect !== "read"),
      clause: {
        kind: "when",
        condition: among(obeyedLaterPaths(authority), namedRepositoryParts(authority)),
      },
    },
    {
      id: "floor/obeyed-later",
      source: null,
      reason: "files that tools run or obey later, such as .git and .envrc, are not written",
      fix: "name the very path under [allow].write if the agent is to write it",
    },
  );
  const hosts = hostFloor(authority, actions);
  if (floor.length === 0) return [...obeyedLater, ...environment, ...hosts];
  // INVARIANT: FemtoClaw's own state, configuration, policy, keys and sockets are out of reach.
  const ownFiles = rule(
    {
      effect: "forbid",
      actions: pathActions(actions),
      clause: { kind: "when", condition: among(floor) },
    },
    {
      id: "floor/own-files",
      source: null,
      reason: "state, configuration, policy, keys and sockets of FemtoClaw are out of reach",
      fix: "keep files for the agent outside the folders of FemtoClaw itself",
    },
  );
  return [...ownFiles, ...obeyedLater, ...environment, ...hosts];
}

/** True for a resource that lies in one of the folders and in none of the exceptions. */
function among(folders: readonly string[], exceptions: readonly string[] = []): string {
  const within = (paths: readonly string[]) => `resource in ${set(paths.map((path) => entity("Path", path)))}`;
  return exceptions.length === 0 ? within(folders) : `${within(folders)} && !(${within(exceptions)})`;
}

/** The rules of the tables, numbered in the order of the entries. */
export function tableRules({ allow, ask, deny, after }: Authority, actions: readonly PolicyAction[]): CompiledRule[] {
  const readers = pathActions(actions, (effect) => effect === "read");
  const writers = pathActions(actions, (effect) => effect === "write");
  const changers = pathActions(actions, (effect) => effect !== "read");
  return [
    ...deny.read.flatMap((grant, index) =>
      pathRule("forbid", pathActions(actions), grant, `toml/deny.read/${index + 1}`, "reading and changing"),
    ),
    ...deny.write.flatMap((grant, index) =>
      pathRule("forbid", changers, grant, `toml/deny.write/${index + 1}`, "changing"),
    ),
    ...runRules("forbid", "deny.run", deny.run, startActions(actions)),
    ...fetchRules("forbid", "deny", deny.fetch, actions),
    ...mcpRules("forbid", "deny", deny.tools, actions),
    ...runRules("forbid", "after_secret.run", after?.secret ?? [], startActions(actions), {
      onceTrue: "has_read_secret",
    }),
    ...runRules("forbid", "after_untrusted.run", after?.untrusted ?? [], startActions(actions), {
      onceTrue: "has_seen_untrusted",
    }),
    ...fetchRules("forbid", "after_secret", after?.secretFetch, actions, { onceTrue: "has_read_secret" }),
    ...fetchRules("forbid", "after_untrusted", after?.untrustedFetch, actions, { onceTrue: "has_seen_untrusted" }),
    ...mcpRules("forbid", "after_secret", after?.secretTools, actions, { onceTrue: "has_read_secret" }),
    ...mcpRules("forbid", "after_untrusted", after?.untrustedTools, actions, { onceTrue: "has_seen_untrusted" }),
    ...askRules(ask, actions),
    ...allow.read.flatMap((grant, index) =>
      pathRule("permit", readers, grant, `toml/allow.read/${index + 1}`, "reading"),
    ),
    ...allow.write.flatMap((grant, index) =>
      pathRule("permit", writers, grant, `toml/allow.write/${index + 1}`, "writing"),
    ),
    ...runRules("permit", "allow.run", allow.run, programActions(actions)),
    ...fetchRules("permit", "allow", allow.fetch, actions),
    ...mcpRules("permit", "allow", allow.tools, actions),
  ];
}

/**
 * INVARIANT: an entry that asks becomes two rules. One forbids until an operator says yes, even what a broader entry
 * permits; the other permits after the yes, and nothing before it.
 */
function askRules(ask: GrantTable, actions: readonly PolicyAction[]): CompiledRule[] {
  const readers = pathActions(actions, (effect) => effect === "read");
  const writers = pathActions(actions, (effect) => effect === "write");
  const changers = pathActions(actions, (effect) => effect !== "read");
  const programs = programActions(actions);
  return [
    ...ask.read.flatMap((grant, index) => [
      ...pathRule("ask", pathActions(actions), grant, `toml/ask.read/${index + 1}`, "reading and changing", ask),
      ...pathRule("granted", readers, grant, `toml/ask.read/${index + 1}`, "reading", ask),
    ]),
    ...ask.write.flatMap((grant, index) => [
      ...pathRule("ask", changers, grant, `toml/ask.write/${index + 1}`, "changing", ask),
      ...pathRule("granted", writers, grant, `toml/ask.write/${index + 1}`, "writing", ask),
    ]),
    ...runRules("ask", "ask.run", ask.run, programs, ask),
    ...runRules("granted", "ask.run", ask.run, programs, ask),
    ...fetchRules("ask", "ask", ask.fetch, actions, ask),
    ...fetchRules("granted", "ask", ask.fetch, actions, ask),
    ...mcpRules("ask", "ask", ask.tools, actions, ask),
    ...mcpRules("granted", "ask", ask.tools, actions, ask),
  ];
}

export function pathRule(
  mood: Mood,
  actions: readonly string[],
  { path, source }: PathGrant,
  id: string,
  doing: string,
  terms: Terms = {},
): CompiledRule[] {
  return entryRule(
    mood,
    terms,
    { actions, resource: `in ${entity("Path", path)}` },
    { id, source, doing: `${doing} ${printable(path)} and everything below it` },
  );
}

export function runRules(
  mood: Mood,
  table: string,
  grants: readonly ProgramGrant[],
  actions: readonly string[],
  terms: Terms = {},
): CompiledRule[] {
  const nameOf = ({ path }: ProgramGrant): string => baseName(path);
  return numbered(grants, nameOf).flatMap(({ entry: grant, key, number }) =>
    entryRule(
      mood,
      terms,
      { actions, ...(forbids(mood) ? forbiddenUse(grant, terms) : permittedUse(grant)) },
      { id: `toml/${table}.${key}/${number}`, source: grant.source, doing: useText(mood, grant) },
    ),
  );
}

type Use = Pick<PolicyParts, "resource" | "clause">;

/**
 * INVARIANT: a permit binds the path and the file behind it as they were when the grant was examined. A link that has
 * been redirected since then is another program.
 */
function permittedUse(grant: ProgramGrant): Use {
  return { resource: `== ${entity("Program", grant.path)}`, ...when([useCondition(grant)]) };
}

/** What must hold for a call, besides naming the program, to be this use of it. */
export function useCondition({ realPath, use }: ProgramGrant): string {
  const conditions = [`context.real_path == ${literal(realPath)}`];
  if (use.kind === "word") {
    // The fact `word` is absent if an option comes first, so such a call meets no word rule.
    conditions.push("context has word", `context.word == ${literal(use.word)}`, onlyAmong("flags", use.flags));
  }
  return conditions.join(" && ");
}

/**
 * INVARIANT: a forbid covers the program under every name that leads to the same file, and every spelling of the word.
 * If an option comes first the word is unknown, and unknown is forbidden.
 */
function forbiddenUse({ path, realPath, use }: ProgramGrant, terms: Terms): Use {
  const conditions = [
    ...onceConditions(terms),
    `(resource == ${entity("Program", path)} || context.real_path == ${literal(realPath)})`,
  ];
  if (use.kind === "word") {
    const word = `(context has word && context.word == ${literal(use.word)})`;
    const unknown = "(!(context has word) && context.arguments > 0)";
    conditions.push(`(${word} || ${unknown})`);
    if (use.flags.length > 0) {
      const spellings = use.flags.flatMap(flagSpellings).map(literal);
      conditions.push(`${set(spellings)}.containsAny(context.flags)`);
    }
  }
  return when(conditions);
}

/** LIMIT: characters of an abbreviated option; people and programs abbreviate to a few. */
const ABBREVIATION_CHARS = 64;

/** Everything that a program may take for this option: the parts of a bundle, and every abbreviation of a long name. */
function flagSpellings(flag: string): string[] {
  const all = [flag, ...flagParts(flag)];
  const abbreviations = all
    .filter((name) => name.startsWith("--") && !name.includes("="))
    .map((name) => name.slice(0, ABBREVIATION_CHARS))
    .flatMap((name) => Array.from({ length: name.length - 2 }, (_, more) => name.slice(0, more + 3)));
  return [...all, ...abbreviations];
}

function useText(mood: Mood, { path, use }: ProgramGrant): string {
  const program = printable(path);
  if (use.kind === "any") return `running ${program} with any arguments`;
  const flags = use.flags.map((flag) => printable(flag)).join(" ");
  const word = `running ${program} with the first word \`${printable(use.word)}\``;
  if (forbids(mood)) return `${word}${flags === "" ? "" : ` and one of ${flags}`}`;
  return `${word} and ${flags === "" ? "no dash-arguments" : `no dash-arguments but ${flags}`}`;
}

/** Permits by name. The caller has checked that each name is a capability without a resource of its own. */
export function toolRules(tools: readonly ToolGrant[]): CompiledRule[] {
  const distinct = new Map(tools.toReversed().map((tool) => [tool.name, tool]));
  return [...distinct.values()]
    .toReversed()
    .flatMap(({ name, source }) =>
      rule(
        { effect: "permit", actions: [name] },
        { id: `tools/${name}`, source, reason: `every use of ${name} is allowed` },
      ),
    );
}
