/**
 * Mistakes that Cedar cannot recognize: grants that look narrow and are not, and rules that could never apply. Each
 * finding is a load error that names its place in the configuration.
 */
import assert from "node:assert/strict";
import { type Authority, flagParts, type PathGrant, type ProgramGrant, printable } from "@femtoclaw/protocol";
import { ancestorsOrSelf, baseName, isCanonicalPath } from "./canonical-path.ts";
import { type CodeRunner, codeRunner } from "./code-runners.ts";

/** One mistake, and its place. */
export interface LintFinding {
  /** Where the operator wrote it, for example `femtoclaw.toml:12:9`. */
  readonly source: string;
  /** What is wrong, in lower case and without a full stop. */
  readonly message: string;
}

/** All findings, in the order of the tables; empty if the authority can be compiled. */
export function lintAuthority(authority: Authority): LintFinding[] {
  assertCanonical(authority);
  const { allow, ask, deny, floor } = authority;
  const further = furtherRun(authority);
  return [
    ...[...allow.run, ...ask.run].flatMap((grant) => [
      ...runnerFindings(grant),
      ...usabilityFindings(grant),
      ...floorFindings(grant, floor),
    ]),
    ...Object.values(authority.agents ?? {}).flatMap((own) => (own.allow.run ?? []).flatMap(usabilityFindings)),
    ...[allow.run, ask.run].flatMap((table) => table.flatMap((grant) => shadowFindings(grant, table))),
    ...[...allow.run, ...ask.run, ...deny.run, ...further].flatMap(wordFindings),
    ...[...ask.run, ...deny.run, ...forbiddingRun(authority)].flatMap(lineFindings),
  ];
}

/** The code that loads the configuration must resolve its paths; a relative path here is a bug. */
function assertCanonical(authority: Authority): void {
  const { allow, ask, deny, floor } = authority;
  const owned = Object.values(authority.agents ?? {}).flatMap((own) => [own.allow, own.ask, own.deny]);
  const tables = [allow, ask, deny];
  const grants = [...tables, ...owned].flatMap(({ read = [], write = [] }): readonly PathGrant[] => [
    ...read,
    ...write,
  ]);
  const run = [...tables.flatMap((table) => table.run), ...furtherRun(authority)];
  const programs = run.flatMap(({ path, realPath }) => [path, realPath]);
  for (const path of [...grants.map((grant) => grant.path), ...programs, ...floor]) {
    assert(isCanonicalPath(path), `a path of the authority is absolute and canonical: ${printable(path)}`);
  }
}

/** Grants of programs outside the tables that hold for everybody. */
function furtherRun(authority: Authority): ProgramGrant[] {
  const allowed = Object.values(authority.agents ?? {}).flatMap(({ allow }) => allow.run ?? []);
  return [...allowed, ...forbiddingRun(authority)];
}

/** Those among them that forbid, if only until an operator says yes. */
function forbiddingRun({ after, agents = {} }: Authority): ProgramGrant[] {
  const owned = Object.values(agents).flatMap(({ ask, deny }) => [...ask.run, ...deny.run]);
  return [...(after?.secret ?? []), ...(after?.untrusted ?? []), ...owned];
}

const finding = (grant: ProgramGrant, message: string): LintFinding => ({
  source: grant.source,
  message: `\`${printable(baseName(grant.path))}\` ${message}`,
});

const ANY_UNSAFE = "{ any = true, unsafe = true }";

/** The danger of the program under any of its names; `operands` is the graver one. */
function runnerOf({ path, realPath }: ProgramGrant): CodeRunner | null {
  const found = [codeRunner(path), codeRunner(realPath)];
  return found.includes("operands") ? "operands" : (found.find((danger) => danger !== null) ?? null);
}

function runnerFindings(grant: ProgramGrant): LintFinding[] {
  const danger = runnerOf(grant);
  if (danger === null) return [];
  if (grant.use.kind === "any") {
    if (grant.use.unsafe) return [];
    const instead = danger === "options" ? "; list first words and flags, or write" : "; write";
    return [finding(grant, `can execute other code, so any arguments means any program${instead} ${ANY_UNSAFE}`)];
  }
  if (danger === "options") return [];
  return [
    finding(grant, `takes code or commands after the first word, so a word does not limit it; write ${ANY_UNSAFE}`),
  ];
}

/** Facts split `--name=value` and bundles, and every part must be listed. A rule that omits one never applies. */
function usabilityFindings(grant: ProgramGrant): LintFinding[] {
  if (grant.use.kind === "any") return [];
  const { flags } = grant.use;
  return flags.flatMap((flag) => {
    const missing = flagParts(flag).filter((part) => !flags.includes(part));
    if (missing.length === 0) return [];
    return [
      finding(grant, `flag ${quoted(flag)} applies only when these are listed too: ${missing.map(quoted).join(", ")}`),
    ];
  });
}

function floorFindings(grant: ProgramGrant, floor: readonly string[]): LintFinding[] {
  const own = new Set(floor);
  const inside = [grant.path, grant.realPath].some((path) => ancestorsOrSelf(path).some((folder) => own.has(folder)));
  return inside ? [finding(grant, "lies in a folder of FemtoClaw itself, from which nothing is run")] : [];
}

/** A word beside "any arguments" seems to limit the program and does not. */
function shadowFindings(grant: ProgramGrant, run: readonly ProgramGrant[]): LintFinding[] {
  if (grant.use.kind === "any") return [];
  const broad = run.find(({ path, use }) => path === grant.path && use.kind === "any");
  if (broad === undefined) return [];
  const word = quoted(grant.use.word);
  return [
    finding(grant, `word ${word} limits nothing, because ${broad.source} allows any arguments; keep one of them`),
  ];
}

function wordFindings(grant: ProgramGrant): LintFinding[] {
  if (grant.use.kind === "any") return [];
  const { word, flags } = grant.use;
  const found: LintFinding[] = [];
  if (word === "") found.push(finding(grant, "has an empty word"));
  if (word.startsWith("-")) {
    found.push(finding(grant, `word ${quoted(word)} begins with a dash, and such an argument is never a word`));
  }
  if (word === "*") found.push(finding(grant, 'word "*" would be taken literally; write { any = true }'));
  for (const text of [word, ...flags]) {
    if (text.includes("\0") || !text.isWellFormed()) {
      found.push(finding(grant, `argument ${quoted(text)} holds what no argument can hold`));
    }
  }
  for (const flag of flags) {
    if (!flag.startsWith("-")) found.push(finding(grant, `flag ${quoted(flag)} does not begin with a dash`));
  }
  return found;
}

/** Matches what people write for several arguments. An expression such as one of awk begins with another character. */
const COMMAND_LINE = /^\w[\w:.-]*\s+\S/;

/** No program is called in this way, so such an entry would forbid nothing. */
function lineFindings(grant: ProgramGrant): LintFinding[] {
  if (grant.use.kind === "any" || !COMMAND_LINE.test(grant.use.word)) return [];
  const word = quoted(grant.use.word);
  return [finding(grant, `word ${word} is a single argument; write the first one, and its options under flags`)];
}

function quoted(text: string): string {
  return `"${printable(text)}"`;
}
