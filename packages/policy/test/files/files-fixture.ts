/** Cedar files as an operator would write them, read on a machine that has what the fixture says. */
import assert from "node:assert/strict";
import type { Authority, CapabilityManifest } from "@femtoclaw/protocol";
import { afterAll } from "vitest";
import type { PolicyFileRules } from "../../src/files/load-policy-files.ts";
import { type CompiledPolicy, compilePolicy, loadPolicyFiles, type NameLookup, PolicyTrial } from "../../src/index.ts";
import { type AuthorityTables, authorityOf, MANIFESTS } from "../policy-fixture.ts";

const PATHS = ["/ws", "/ws/out", "/ws/secrets", "/srv", "/", "/usr", "/usr/bin/echo"];
const PROGRAMS = ["git", "bash", "echo", "tar"].map((name) => `/usr/bin/${name}`);
/** Programs of the search path whose files lie elsewhere. */
const LINKED: Readonly<Record<string, string>> = { "/usr/bin/linked": "/srv/tools/linked" };
const LINKS: Readonly<Record<string, string>> = { "/ws/link": "/srv" };

/** A machine with a few files, of which `/ws/link` is a symbolic link. */
const LOOKUP: NameLookup = {
  path: (path) => ({ canonical: LINKS[path] ?? path, exists: PATHS.includes(path) || path in LINKS }),
  program: (path) =>
    PROGRAMS.includes(path) || path in LINKED
      ? { path, realPath: LINKED[path] ?? path }
      : { problem: `there is no program ${path} in search_path` },
};

export function fileOf(text: string | Uint8Array, name = "extra.cedar") {
  return { name, bytes: typeof text === "string" ? Buffer.from(text) : text };
}

let shared: PolicyTrial | null = null;

/** One thread for a whole file of tests, which names this at its top; the next file begins with another one. */
export function shareTrial(): PolicyTrial {
  const trial = new PolicyTrial();
  shared = trial;
  afterAll(() => trial[Symbol.asyncDispose]());
  return trial;
}

function sharedTrial(): PolicyTrial {
  assert(shared !== null, "this file shares no trial");
  return shared;
}

export interface Loading {
  readonly trial?: PolicyTrial;
  readonly manifests?: readonly CapabilityManifest[];
  readonly authority?: Authority;
  readonly ownPrograms?: readonly string[];
}

export async function load(
  files: string | readonly ReturnType<typeof fileOf>[],
  { trial = sharedTrial(), manifests = MANIFESTS, authority = authorityOf(), ...others }: Loading = {},
): Promise<PolicyFileRules> {
  const list = typeof files === "string" ? [fileOf(files)] : files;
  return await loadPolicyFiles({
    files: list,
    manifests,
    authority,
    agents: ["default"],
    lookup: LOOKUP,
    trial,
    ...others,
  });
}

/** All findings, a line each; null when the files are taken. */
export async function findings(...args: Parameters<typeof load>): Promise<string[] | null> {
  try {
    await load(...args);
    return null;
  } catch (error) {
    return (error as Error).message.split("\n");
  }
}

export async function compiled(text: string, tables: AuthorityTables = {}): Promise<CompiledPolicy> {
  const { rules } = await load(text);
  return compilePolicy({ authority: authorityOf(tables), manifests: MANIFESTS, fileRules: rules });
}
