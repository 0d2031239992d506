/**
 * Compiles what the operator granted into one Cedar policy set with its schema, its origins and a revision that names
 * exactly what is enforced. Pure: the same input gives the same revision on any machine.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type Authority,
  type CapabilityManifest,
  FemtoError,
  frozen,
  obeyedLaterPaths,
  printable,
} from "@femtoclaw/protocol";
import type { FileRule } from "./files/file-rule.ts";
import { connects, type PolicyAction, policyActions, schemaText } from "./schema.ts";
import { agentRules } from "./tables/agent-rules.ts";
import { connectRules } from "./tables/connect-rules.ts";
import { budgetRules } from "./tables/history-rules.ts";
import { launchRules } from "./tables/launch-rules.ts";
import { lintAuthority } from "./tables/lint.ts";
import { floorRules, type ToolGrant, tableRules, toolRules } from "./tables/rules.ts";
import type { CompiledRule } from "./tables/table-rule.ts";

/** The engine for which policies are compiled. Another engine may decide differently, so it is part of the revision. */
export const ENGINE_VERSION = "cedar 4.13.0";

/** What a policy is compiled from. */
interface PolicyInput {
  /** What the tables of a configuration grant and deny. */
  readonly authority: Authority;
  /** What each capability declares; the schema is derived from it. */
  readonly manifests: readonly CapabilityManifest[];
  /** Capabilities permitted by name: those that declare neither a path nor a program, or have no effect. */
  readonly tools?: readonly ToolGrant[];
  /** Rules from the Cedar files of the policy folder, which `loadPolicyFiles` has checked. */
  readonly fileRules?: readonly FileRule[];
}

/** A policy as the engine and a record hold it. The same input compiles to the same text. */
export interface CompiledPolicy {
  /** SHA-256 over engine, schema and rules. */
  readonly revision: string;
  /** The engine that the policy was compiled for. */
  readonly engine: string;
  /** The Cedar schema, and its SHA-256 in hexadecimal. */
  readonly schemaText: string;
  readonly schemaSha256: string;
  /** How the engine sees each capability. */
  readonly actions: readonly PolicyAction[];
  /** In the order in which they are shown. The order has no influence on decisions. */
  readonly rules: readonly CompiledRule[];
  /** Every path that a rule names. Only these matter among the ancestors of a request's path. */
  readonly namedPaths: readonly string[];
}

/** What the engine needs of a policy, even of one that was compiled long ago and stands in a record. */
export interface EnforceablePolicy extends Pick<CompiledPolicy, "revision" | "engine" | "schemaText" | "namedPaths"> {
  readonly actions: readonly Pick<PolicyAction, "name" | "resource">[];
  readonly rules: readonly Pick<CompiledRule, "id" | "text" | "approvers">[];
}

/** Compiles a policy. Throws FEMTO_POLICY_INVALID with the place of every mistake. */
export function compilePolicy({ authority, manifests, tools = [], fileRules = [] }: PolicyInput): CompiledPolicy {
  const findings = lintAuthority(authority);
  if (findings.length > 0) {
    const places = findings.map(({ source, message }) => `${source}: ${message}`);
    throw new FemtoError("FEMTO_POLICY_INVALID", places.join("; "));
  }
  const actions = policyActions(manifests, connects(authority));
  for (const tool of tools) assertNameable(tool, actions);
  const rules = [
    ...floorRules(authority, actions),
    ...budgetRules(authority, actions),
    ...tableRules(authority, actions),
    ...connectRules(authority, actions),
    ...launchRules(authority, actions),
    ...agentRules(authority, actions),
    ...toolRules(tools),
    ...fileRules.map(({ paths: _, hidden: __, kept: ___, ...rule }) => rule),
  ];
  // INVARIANT: the engine takes the rules by id, so two rules with one id would silently become one.
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length, "rules have distinct ids");
  const schema = schemaText(actions);
  // INVARIANT: I3: an engine that crashed is made again from these rules, so whoever is shown them cannot change them.
  return frozen({
    revision: policyRevision(ENGINE_VERSION, schema, rules),
    engine: ENGINE_VERSION,
    schemaText: schema,
    schemaSha256: createHash("sha256").update(schema).digest("hex"),
    actions,
    rules,
    namedPaths: namedPaths(authority, fileRules),
  });
}

/** If a call names a path or a program, a permit must say which one; a permit by name would open all of them. */
function assertNameable({ name, source }: ToolGrant, actions: readonly PolicyAction[]): void {
  const action = actions.find((candidate) => candidate.name === name);
  if (action === undefined) {
    throw new FemtoError("FEMTO_POLICY_INVALID", `${source}: no capability is called \`${printable(name)}\``);
  }
  if (action.resource === "Tool" || action.effect === "none") return;
  const tables = { Path: "read or write", Program: "run", Host: "fetch", McpTool: "tools" }[action.resource];
  throw new FemtoError(
    "FEMTO_POLICY_INVALID",
    `${source}: \`${name}\` cannot be allowed by name, because its calls name a ${action.resource.toLowerCase()}; use the tables ${tables}`,
  );
}

function namedPaths(authority: Authority, fileRules: readonly FileRule[]): string[] {
  const { floor, allow, ask, deny, agents = {} } = authority;
  const tables = [allow, ask, deny, ...Object.values(agents).flatMap((own) => [own.allow, own.ask, own.deny])];
  const grants = tables.flatMap(({ read = [], write = [] }) => [...read, ...write]);
  const inTables = [...floor, ...obeyedLaterPaths(authority), ...grants.map(({ path }) => path)];
  return [...new Set([...inTables, ...fileRules.flatMap(({ paths }) => paths)])].sort();
}

/**
 * Hashes with an injective encoding: every part is preceded by its length in bytes, so that no two inputs have one
 * encoding. INVARIANT: I3: a revision that was activated is not validated again, so a developer who makes the checks
 * stricter must raise the number in its name.
 */
export function policyRevision(
  engine: string,
  schema: string,
  rules: readonly Pick<CompiledRule, "id" | "text">[],
): string {
  const hash = createHash("sha256");
  const sorted = [...rules].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (const part of ["femtoclaw-policy-1", engine, schema, ...sorted.flatMap(({ id, text }) => [id, text])]) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(bytes.length));
    hash.update(length).update(bytes);
  }
  return hash.digest("hex");
}
