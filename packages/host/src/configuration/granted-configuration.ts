/**
 * A configuration with further grants in it. What the new text means is found out by loading it as a host
 * would: it must allow what the old one did and exactly the grants, and nothing else may have changed.
 */
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { GrantProposal } from "@femtoclaw/policy";
import { FemtoError, fetchText, type GrantTable, mcpGrantText } from "@femtoclaw/protocol";
import type { ResolvedConfiguration } from "@femtoclaw/runtime";
import { insertionOf } from "./grant-text.ts";
import { type LoadedConfiguration, type LoadOptions, resolveProject } from "./load-configuration.ts";
import { type ProjectFiles, projectDigest } from "./project-files.ts";
import { insertIntoToml } from "./toml-insertion.ts";

export interface GrantedConfiguration {
  readonly project: ProjectFiles;
  readonly loaded: LoadedConfiguration;
}

/** Throws FEMTO_CONFIG_INVALID where the text cannot be changed that way, or where the grants may not stand. */
export function grantedConfiguration(
  project: ProjectFiles,
  before: ResolvedConfiguration,
  grants: readonly GrantProposal[],
  options: Pick<LoadOptions, "cwd" | "environment" | "stateFlag">,
): GrantedConfiguration {
  const context = { directory: project.directory, searchPath: before.authority.searchPath };
  let text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(project.configuration);
  for (const grant of grants) {
    const changed = insertIntoToml(text, insertionOf(grant, context));
    if (changed === null) throw byHand(project, "something else stands in the place of the entry");
    text = changed;
  }
  const configuration = Buffer.from(text);
  const sha256 = projectDigest(configuration, project.policy);
  const granted: ProjectFiles = { ...project, configuration, sha256 };
  const loaded = resolveProject(granted, options);
  // INVARIANT: I8: whatever the text looks like, its meaning grows by the proposed grants and by nothing else.
  if (!addsExactly(before, loaded.resolved, grants)) {
    throw byHand(project, "the changed text would not mean the old one and the entry");
  }
  return { project: granted, loaded };
}

function byHand({ path }: ProjectFiles, finding: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", `${basename(path)} cannot be changed by this command: ${finding}`, {
    fix: "Write the entry that is proposed into the file yourself.",
  });
}

function addsExactly(
  before: ResolvedConfiguration,
  after: ResolvedConfiguration,
  grants: readonly GrantProposal[],
): boolean {
  const expected: Record<GrantProposal["table"], string[]> = {
    read: [],
    write: [],
    run: [],
    fetch: [],
    tools: [],
    environment: [],
  };
  for (const grant of grants) expected[grant.table].push(meaningOf(grant));
  return (
    isDeepStrictEqual(withoutGrants(before), withoutGrants(after)) &&
    (["read", "write", "run", "fetch", "tools"] as const).every((table) =>
      isWithAdded(entries(before, table), entries(after, table), expected[table]),
    ) &&
    isWithAdded(before.authority.environmentNames, after.authority.environmentNames, expected.environment) &&
    keepsValues(before.authority.environment, after.authority.environment, expected.environment)
  );
}

/** Everything but what a grant can change. */
function withoutGrants({ authority, sha256: _, ...rest }: ResolvedConfiguration): unknown {
  const { allow: _allow, environment: _environment, environmentNames: _names, ...other } = authority;
  return withoutPlaces({ ...rest, authority: other });
}

/** Places in the file move when a line is added. */
function withoutPlaces(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(withoutPlaces);
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "source");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutPlaces(inner)]));
}

function entries(
  { authority: { allow } }: ResolvedConfiguration,
  table: Exclude<keyof GrantTable, "approvers">,
): string[] {
  if (table === "fetch") return (allow.fetch ?? []).map(fetchText);
  if (table === "tools") return (allow.tools ?? []).map(mcpGrantText);
  if (table !== "run") return allow[table].map(({ path }) => path);
  return allow.run.map(({ path, realPath, use }) => JSON.stringify([path, realPath, use]));
}

function meaningOf(grant: GrantProposal): string {
  switch (grant.table) {
    case "read":
    case "write":
      return grant.path;
    case "run":
      return JSON.stringify([grant.program, grant.realPath, grant.use]);
    case "fetch":
      return fetchText({ hosts: "one", ...grant });
    case "tools":
      return mcpGrantText({ ...grant, with: [], source: "" });
    case "environment":
      return grant.name;
  }
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
