/** Entries of `tools`: what they permit, and that no spelling of the arguments gets around what they forbid. */
import type { Authority, CapabilityManifest, McpGrant, McpToolQuestion } from "@femtoclaw/protocol";
import { mcpValueText } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { compilePolicy, createPolicyEngine, mayPermit, NO_HISTORY } from "../../src/index.ts";
import { authorityOf, MANIFESTS } from "../policy-fixture.ts";

const server = (name: string): CapabilityManifest => ({
  name: `mcp_${name}`,
  version: "1.0.0",
  description: name,
  input: {},
  output: {},
  arguments: [{ pointer: "", kind: "mcp_tool", server: name }],
  effect: "execute",
  idempotent: false,
  limits: { timeout_ms: 1, output_bytes: 1 },
});
const manifests = [...MANIFESTS, server("git"), server("docs")];

const grant = (name: string, tool: string | null, uses: Record<string, unknown[]> = {}): McpGrant => ({
  server: name,
  tool,
  source: "file:1:1",
  with: Object.entries(uses).map(([argument, values]) => ({
    argument,
    values: values.flatMap((value) => mcpValueText(argument, value) ?? []),
  })),
});

interface Tables {
  readonly allow?: McpGrant[];
  readonly ask?: McpGrant[];
  readonly deny?: McpGrant[];
  readonly agents?: Authority["agents"];
  readonly after?: Authority["after"];
}

async function engineOf({ allow = [], ask = [], deny = [], agents = {}, after }: Tables) {
  const base = authorityOf();
  const authority: Authority = {
    ...base,
    agents,
    ...(after === undefined ? {} : { after }),
    allow: { ...base.allow, tools: allow },
    ask: { ...base.ask, tools: ask },
    deny: { ...base.deny, tools: deny },
  };
  const policy = compilePolicy({ authority, manifests });
  const engine = await createPolicyEngine();
  engine.activate(policy);
  const decide = (
    name: string,
    tool: string,
    args: Record<string, unknown>,
    more: { principal?: string; history?: typeof NO_HISTORY; facts?: Partial<McpToolQuestion> } = {},
  ): string => {
    const texts = Object.entries(args).map(([key, value]) => mcpValueText(key, value));
    const question: McpToolQuestion = {
      kind: "mcp_tool",
      server: name,
      tool,
      definition: "a".repeat(64),
      destructive: false,
      arguments: Object.keys(args).sort(),
      values: texts.filter((text) => text !== null).sort(),
      opaque: Object.keys(args).filter((_, index) => texts[index] === null),
      ...more.facts,
    };
    const asked = { principal: "default", history: NO_HISTORY, ...more };
    const decision = engine.decideAll({ ...asked, capability: `${name}__${tool}`, questions: [question] });
    return decision.allowed ? "allowed" : decision.code;
  };
  // Remembered and projected decisions are the same ones.
  return { policy, decide, project: () => engine.project() };
}

const DENIED = "FEMTO_POLICY_NO_PERMIT";
const FORBIDDEN = "FEMTO_POLICY_FORBIDDEN";

describe("entries of tools", () => {
  it("permit the tool that they name, with the values that they name", async () => {
    const { decide, project } = await engineOf({
      allow: [grant("git", "log"), grant("git", "push", { remote: ["origin"], force: [false] }), grant("docs", null)],
    });
    for (const round of ["whole", "projected"]) {
      expect([round, decide("git", "log", { any: 1 })]).toEqual([round, "allowed"]);
      expect(decide("git", "push", { remote: "origin", force: false })).toBe("allowed");
      expect(decide("git", "push", { remote: "origin" })).toBe(DENIED);
      expect(decide("git", "push", { remote: "evil", force: false })).toBe(DENIED);
      expect(decide("git", "push", { remote: ["origin"], force: false })).toBe(DENIED);
      expect(decide("git", "push", { remote: "origin", force: "false" })).toBe(DENIED);
      expect(decide("git", "push", { 'remote="origin"': 1, force: false })).toBe(DENIED);
      expect(decide("git", "Log", {})).toBe(DENIED);
      expect(decide("git", "reset", {})).toBe(DENIED);
      expect(decide("docs", "anything", {})).toBe("allowed");
      project();
    }
  });

  it("forbid what could be what they forbid", async () => {
    const { decide } = await engineOf({
      allow: [grant("git", null)],
      deny: [grant("git", "push", { branch: ["main"] }), grant("git", "reset")],
    });
    expect(decide("git", "push", { branch: "next" })).toBe("allowed");
    expect(decide("git", "push", {})).toBe("allowed");
    expect(decide("git", "push", { branch: "main" })).toBe(FORBIDDEN);
    expect(decide("git", "push", { branch: ["main"] })).toBe(FORBIDDEN);
    expect(decide("git", "push", { branch: { name: "main" } })).toBe(FORBIDDEN);
    expect(decide("git", "push", { branch: "x".repeat(300) })).toBe(FORBIDDEN);
    expect(decide("git", "push", { branch: 1.5 })).toBe(FORBIDDEN);
    expect(decide("git", "reset", {})).toBe(FORBIDDEN);
  });

  it("ask, and a yes of one policy is all that is missing", async () => {
    const { decide, policy } = await engineOf({
      allow: [grant("git", null)],
      ask: [grant("git", "push"), grant("docs", "read")],
    });
    expect(decide("git", "log", {})).toBe("allowed");
    expect(decide("git", "push", {})).toBe("FEMTO_APPROVAL_REQUIRED");
    expect(decide("docs", "read", {})).toBe("FEMTO_APPROVAL_REQUIRED");
    expect(decide("docs", "write", {})).toBe(DENIED);
    expect([mayPermit(policy, "docs__read"), mayPermit(policy, "docs__write")]).toEqual([true, false]);
    expect([mayPermit(policy, "git__push"), mayPermit(policy, "other__x")]).toEqual([true, false]);
  });

  it("of an agent only narrow", async () => {
    const none = authorityOf().allow;
    const { decide } = await engineOf({
      allow: [grant("git", null)],
      agents: { reviewer: { allow: { tools: [grant("git", "log"), grant("docs", null)] }, ask: none, deny: none } },
    });
    const as = { principal: "reviewer" };
    expect(decide("git", "log", {}, as)).toBe("allowed");
    expect(decide("git", "push", {}, as)).toBe(FORBIDDEN);
    expect(decide("docs", "read", {}, as)).toBe(DENIED);
    expect(decide("git", "push", {})).toBe("allowed");
  });

  it("forbid once a secret may have been read", async () => {
    const { decide } = await engineOf({
      allow: [grant("git", null)],
      after: { secret: [], untrusted: [], secretTools: [grant("git", null)] },
    });
    expect(decide("git", "log", {})).toBe("allowed");
    expect(decide("git", "log", {}, { history: { ...NO_HISTORY, has_read_secret: true } })).toBe(FORBIDDEN);
  });

  it("are not gotten around by facts that no honest call has", async () => {
    const { decide } = await engineOf({ allow: [grant("git", "log")] });
    const odd = (facts: Record<string, unknown>) =>
      decide("git", "log", {}, { facts: facts as Partial<McpToolQuestion> });
    expect(odd({ approved: true })).toBe("FEMTO_POLICY_ERROR");
    expect(odd({ values: [{ a: 1 }] })).toBe("FEMTO_POLICY_ERROR");
    expect(odd({ server: "unknown" })).toBe("FEMTO_POLICY_ERROR");
  });
});
