/**
 * Adds grants to a configuration and removes the questions that they settle. The new text is loaded as a host would
 * load it, and must mean the same as the old one except for exactly this change.
 */
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { GrantProposal } from "@femtoclaw/policy";
import { FemtoError, type GrantTable } from "@femtoclaw/protocol";
import type { ResolvedConfiguration } from "@femtoclaw/runtime";
import { connectionsOf, ENTRY_TABLES, type Entry, entriesOf, meaningOf } from "./grant-meaning.ts";
import { insertionOf } from "./grant-text.ts";
import { type LoadedConfiguration, type LoadOptions, resolveProject } from "./load-configuration.ts";
import { type ProjectFiles, projectDigest } from "./project-files.ts";
import { insertIntoToml } from "./toml-insertion.ts";
import type { Position } from "./toml-positions.ts";
import { removeFromToml } from "./toml-removal.ts";

export interface GrantedConfiguration {
  readonly project: ProjectFiles;
  readonly loaded: LoadedConfiguration;
}

export interface ConfigurationChange {
  /** Entries to add. */
  readonly grants: readonly GrantProposal[];
  /** Entries of `[ask]` to remove, because the grants replace them. */
  readonly settled: readonly Entry[];
}

/** Throws FEMTO_CONFIG_INVALID if the text cannot be changed that way, or if the grants are not allowed. */
export function grantedConfiguration(
  project: ProjectFiles,
  before: ResolvedConfiguration,
  change: ConfigurationChange,
  options: Pick<LoadOptions, "cwd" | "environment" | "stateFlag">,
): GrantedConfiguration {
  const configuration = Buffer.from(changedText(project, before, change));
  const sha256 = projectDigest(configuration, project.policy);
  const granted: ProjectFiles = { ...project, configuration, sha256 };
  const loaded = resolveProject(granted, options);
  // INVARIANT: I8: whatever the text looks like, its meaning changes by what is proposed and by nothing else.
  if (!changesExactly(before, loaded.resolved, change)) {
    throw byHand(project, "the changed text would not mean the old one and what is proposed");
  }
  return { project: granted, loaded };
}

function changedText(
  project: ProjectFiles,
  { authority: { searchPath } }: ResolvedConfiguration,
  { grants, settled }: ConfigurationChange,
): string {
  let text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(project.configuration);
  // Remove from the end, so that earlier positions stay valid.
  const places = settled.map(({ source }) => placeOf(source)).sort((a, b) => b.line - a.line || b.column - a.column);
  for (const place of places) {
    const changed = removeFromToml(text, place);
    if (changed === null) throw byHand(project, "no item of a list stands where the entry that asks should");
    text = changed;
  }
  for (const grant of grants) {
    const changed = insertIntoToml(text, insertionOf(grant, { directory: project.directory, searchPath }));
    if (changed === null) throw byHand(project, "something else stands in the place of the entry");
    text = changed;
  }
  return text;
}

/** Parses `femtoclaw.toml:12:9`. A text without a position gives one that matches nothing. */
function placeOf(source: string): Position {
  const [line, column] = source.split(":").slice(-2).map(Number);
  return { line: line ?? 0, column: column ?? 0 };
}

function byHand({ path }: ProjectFiles, finding: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", `${basename(path)} cannot be changed by this command: ${finding}`, {
    fix: "Change the file yourself as proposed.",
  });
}

function changesExactly(
  before: ResolvedConfiguration,
  after: ResolvedConfiguration,
  { grants, settled }: ConfigurationChange,
): boolean {
  const [was, is] = [before.authority, after.authority];
  const added = (table: GrantProposal["table"]) => grants.filter((grant) => grant.table === table).map(meaningOf);
  return (
    isDeepStrictEqual(withoutEntries(before), withoutEntries(after)) &&
    ENTRY_TABLES.every((table) => {
      const taken = settled.filter((entry) => entry.table === table).map(({ meaning }) => meaning);
      const [asked, asks] = [meanings(was.ask, table), meanings(is.ask, table)];
      return (
        isWithAdded(meanings(was.allow, table), meanings(is.allow, table), added(table)) &&
        isWithAdded(asks, asked, taken)
      );
    }) &&
    isWithAdded(connectionsOf(was), connectionsOf(is), added("connect")) &&
    isWithAdded(was.environmentNames, is.environmentNames, added("environment")) &&
    keepsValues(was.environment, is.environment, added("environment"))
  );
}

/** Everything that a change of entries cannot change. */
function withoutEntries({ authority, sha256: _, ...rest }: ResolvedConfiguration): unknown {
  const {
    allow: _allow,
    ask,
    connect: _connect,
    environment: _environment,
    environmentNames: _names,
    ...other
  } = authority;
  return withoutPlaces({ ...rest, authority: { ...other, approvers: ask.approvers } });
}

/** Drops positions in the file, because they move when a line is added. */
function withoutPlaces(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(withoutPlaces);
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "source");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutPlaces(inner)]));
}

function meanings(granted: GrantTable, table: Entry["table"]): string[] {
  return entriesOf(granted).flatMap((entry) => (entry.table === table ? [entry.meaning] : []));
}

function isWithAdded(before: readonly string[], after: readonly string[], added: readonly string[]): boolean {
  return isDeepStrictEqual([...before, ...added].sort(), after.toSorted());
}

function keepsValues(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  added: readonly string[],
): boolean {
  const others = (all: Readonly<Record<string, string>>) =>
    Object.entries(all)
      .filter(([name]) => !added.includes(name))
      .sort();
  return isDeepStrictEqual(others(before), others(after));
}
