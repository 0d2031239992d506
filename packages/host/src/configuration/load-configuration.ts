/** The only way from the command line's options to what is in force: locate, read, trust, parse, resolve. */
import { basename, dirname, join, resolve } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import type { DeployedSources } from "@femtoclaw/runtime";
import { type ResolvedConfiguration, resolveConfiguration, type SourceOf } from "@femtoclaw/runtime/configuration";
import { type ConfigurationSearch, locateConfiguration, userConfigurationPath } from "./locate-configuration.ts";
import { ownPrograms } from "./own-programs.ts";
import { deployedSources, POLICY_FOLDER, type ProjectFiles, readProjectFiles } from "./project-files.ts";
import { readConfiguration } from "./read-configuration.ts";
import { TrustStore } from "./trust-store.ts";

export interface LoadOptions extends ConfigurationSearch {
  /** Value of --state; overrides [memory].path. */
  readonly stateFlag?: string | undefined;
}

export interface LoadedConfiguration {
  /** Canonical path of the configuration. */
  readonly path: string;
  readonly configuration: Configuration;
  readonly resolved: ResolvedConfiguration;
  /** Content of the policy folder, read together with the configuration. Do not read it again. */
  readonly policyFiles: ReadonlyMap<string, Uint8Array>;
  /** Digest over the configuration's bytes and the policy folder. */
  readonly sha256: string;
  /** Separate digests of the configuration and the policy folder. */
  readonly sources: DeployedSources;
}

export function loadConfiguration(options: LoadOptions): LoadedConfiguration {
  const { path, needsTrust } = locateConfiguration(options);
  const project = readProjectFiles(path);
  // INVARIANT: trust comes before parsing: an untrusted project influences nothing, not even by its faults.
  if (needsTrust) new TrustStore(options.environment).check(project);
  return resolveProject(project, options);
}

/** Resolves a project's files without asking whether they are trusted, for showing them and for `init`. */
export function resolveProject(
  project: ProjectFiles,
  { cwd, environment, stateFlag }: Pick<LoadOptions, "cwd" | "environment" | "stateFlag">,
): LoadedConfiguration {
  const read = readConfiguration(project.configuration, basename(project.path));
  const configuration: Configuration =
    stateFlag === undefined ? read.configuration : { ...read.configuration, memory: { path: resolve(cwd, stateFlag) } };
  const sourceOf: SourceOf = (pointer) =>
    pointer === "/memory/path" && stateFlag !== undefined ? "--state" : read.sourceOf(pointer);
  const resolved = resolveConfiguration({
    configuration,
    baseDirectory: project.directory,
    sourceOf,
    ownPaths: ownPaths(project, environment),
    ownPrograms: ownPrograms(),
    environment,
  });
  const { path, policy, sha256 } = project;
  return { path, configuration, resolved, policyFiles: policy, sha256, sources: deployedSources(project) };
}

/**
 * INVARIANT: calls reach neither this configuration, nor the user's own, nor the policies of either. The state
 * directory is added during resolution.
 */
function ownPaths(project: ProjectFiles, environment: LoadOptions["environment"]): readonly string[] {
  const user = userConfigurationPath(environment);
  return [
    project.path,
    join(project.directory, POLICY_FOLDER),
    ...(user === undefined ? [] : [user, join(dirname(user), POLICY_FOLDER)]),
  ];
}
