/**
 * What a capability of others declares, read as data: nothing of it runs to find out what it wants. Pure.
 */
import {
  AGENT_RUN,
  type CapabilityManifest,
  CONNECT_ACTION,
  describeViolations,
  LIMITS,
  parseStrictJson,
  printable,
  validateManifest,
} from "@femtoclaw/protocol";
import { BUILTIN_NAMES } from "../builtin-names.ts";
import type { JsonObject } from "../capability.ts";
import { uncheckedIn } from "./checked-schema.ts";

export type ManifestResult =
  | { readonly ok: true; readonly manifest: CapabilityManifest }
  | { readonly ok: false; readonly problem: string };

/** LIMIT: bytes of a manifest; models read it with every list of tools. */
const MANIFEST_BYTES = 65_536;

/** The manifest of the capability that a configuration calls `name`. */
export function packageManifest(name: string, bytes: Uint8Array): ManifestResult {
  const limits = { bytes: MANIFEST_BYTES, depth: LIMITS.jsonDepth, nodes: LIMITS.jsonNodes };
  const parsed = parseStrictJson(bytes, limits);
  if (!parsed.ok) return problem(`is no JSON: ${parsed.fault.reason}`);
  if (!validateManifest(parsed.value))
    return problem(`is no manifest: ${describeViolations(validateManifest.errors ?? [])}`);
  const manifest = parsed.value as unknown as CapabilityManifest;
  const found = nameProblem(name, manifest) ?? kindProblem(manifest) ?? schemasProblem(manifest);
  return found === null ? { ok: true, manifest } : problem(found);
}

/** INVARIANT: I4: a name leads to one capability, no matter who chose it. */
function nameProblem(name: string, manifest: CapabilityManifest): string | null {
  if (manifest.name !== name) return `names the capability \`${printable(manifest.name)}\`, not \`${name}\``;
  const taken: readonly string[] = [CONNECT_ACTION, AGENT_RUN, ...BUILTIN_NAMES];
  if (taken.includes(name)) return `has the name of a built-in capability, \`${name}\``;
  if (name.startsWith("mcp_") || name.includes("__")) return `has a name that MCP servers and their tools have`;
  return null;
}

/**
 * INVARIANT: I3: what is declared is all that the process gets, so it declares only what it can be handed: files to
 * read, one to write, which trusted code does for it, or one host, to which trusted code connects it.
 */
function kindProblem({ arguments: declared, effect }: CapabilityManifest): string | null {
  const created = declared.filter((one) => one.kind === "path" && one.access === "create").length;
  const hosts = declared.filter((one) => one.kind === "host").length;
  for (const one of declared) {
    if (one.kind === "size") continue;
    if (one.kind === "host") {
      // INVARIANT: I10: a secret is handed to nobody whose words come back as a result.
      if (one.headers === undefined) continue;
      return "declares headers, which could refer to secrets; a capability outside of the host is handed none";
    }
    if (one.kind !== "path") return `declares a ${one.kind}, which a capability outside of the host cannot be handed`;
    if (one.access === "list" || one.recursive !== undefined || one.parents !== undefined) {
      return "declares a folder; a capability outside of the host is handed single files";
    }
  }
  if (created > 1) return "declares more than one file to create, which could not be put there in one step";
  if (hosts > 1) return "declares more than one host; what a call connects to is one question";
  if (hosts > 0 && declared.some(({ kind }) => kind === "path")) return "declares both a host and a path";
  const wanted = hosts > 0 ? ["network"] : created > 0 ? ["write"] : ["none", "read"];
  if (!wanted.includes(effect)) {
    return `has the effect \`${effect}\`, where with these arguments only ${wanted.join(" or ")} is possible`;
  }
  return null;
}

function schemasProblem({ input, output }: CapabilityManifest): string | null {
  const found = uncheckedIn(input as JsonObject, "input") ?? uncheckedIn(output as JsonObject, "output");
  return found === null ? null : `declares what cannot be held to it: ${found}`;
}

const problem = (text: string): ManifestResult => ({ ok: false, problem: text });
