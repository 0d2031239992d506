/** What is deployed, as digests: the program, its configuration, and what it is checked against. */
import { createHash } from "node:crypto";
import { FROZEN_MACHINES } from "@femtoclaw/machines";
import { type CapabilityManifest, type Deployment, SCHEMA_DIGESTS } from "@femtoclaw/protocol";
import type { PolicySource } from "./options.ts";

/** The result of verifying the running program. */
export interface Integrity {
  readonly verdict: "verified" | "unverified";
  readonly reason: string;
  /** SHA-256 of the standalone executable; null if the program is none. */
  readonly binary: string | null;
}

/** Digests of the sources that a configuration was read from: SHA-256 in hexadecimal. */
export interface DeployedSources {
  readonly configuration: string;
  readonly policy: string;
}

export const NOT_VERIFIED: Integrity = {
  verdict: "unverified",
  reason: "the program that embeds the runtime does not verify itself",
  binary: null,
};

export interface DeployedParts {
  readonly binary: string | null;
  readonly sources: DeployedSources;
  readonly manifests: readonly CapabilityManifest[];
}

export function deploymentOf({ binary, sources, manifests }: DeployedParts): Deployment {
  const parts = {
    binary,
    configuration: sources.configuration,
    policy: sources.policy,
    schemas: digestOf(SCHEMA_DIGESTS),
    machines: digestOf(machineDigests()),
    capabilities: digestOf(manifestDigests(manifests)),
  };
  return { digest: digestOf(parts), ...parts };
}

/** For a configuration that was made in code, or whose reader does not say what it was read from. */
export function resolvedSources({ configuration, policyFiles }: PolicySource): DeployedSources {
  const rules = (policyFiles?.rules ?? []).map(({ id, text }) => [id, sha256(text)]);
  return { configuration: configuration.sha256, policy: digestOf(Object.fromEntries(rules)) };
}

/** Every version of every machine with which this program folds history. */
export function machineDigests(): Record<string, string> {
  return Object.fromEntries(FROZEN_MACHINES.map(({ id, version, sha256 }) => [`${id}@${version}`, sha256]));
}

/** Digests of the capabilities' manifests, by name. */
export function manifestDigests(manifests: readonly CapabilityManifest[]): Record<string, string> {
  return Object.fromEntries(manifests.map((manifest) => [manifest.name, sha256(JSON.stringify(manifest))]));
}

/** One digest over named digests, whatever order they come in. */
function digestOf(parts: Readonly<Record<string, string | null>>): string {
  const lines = Object.keys(parts).sort();
  return sha256(lines.map((name) => `${parts[name] ?? "-"} ${name}\n`).join(""));
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
