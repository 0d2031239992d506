/** Which programs an operator may launch as which agent, and that no other permit launches anything. */
import { type CompiledPolicy, compilePolicy, createPolicyEngine, NO_HISTORY } from "@femtoclaw/policy";
import type { Authority, CapabilityManifest, ProgramGrant, ProgramQuestion } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { agentRun } from "../../../capabilities/src/agent/agent-run.ts";
import { builtinCapabilities } from "../../../capabilities/src/builtin.ts";
import { authorityOf } from "../policy-fixture.ts";

const BUILTIN = builtinCapabilities.map(({ manifest }) => manifest);
const SH = { program: "/usr/bin/sh", realPath: "/usr/bin/dash" };
const ANY: ProgramGrant = {
  path: SH.program,
  realPath: SH.realPath,
  use: { kind: "any", unsafe: true },
  source: "run",
};
const NOTHING = { read: [], write: [], run: [] };

const authority = (more: Partial<Authority>): Authority => ({
  ...authorityOf(),
  agents: { coder: { allow: { run: [] }, ask: NOTHING, deny: NOTHING } },
  ...more,
});

const compiled = (more: Partial<Authority>, manifests: readonly CapabilityManifest[]): CompiledPolicy =>
  compilePolicy({ authority: authority(more), manifests });

const engine = createPolicyEngine();

async function allows(more: Partial<Authority>, principal: string, capability: string, realPath = SH.realPath) {
  const asked = await engine;
  asked.activate(compiled(more, [...BUILTIN, agentRun.manifest]));
  const question: ProgramQuestion = {
    kind: "program",
    program: SH.program,
    real_path: realPath,
    device: "1",
    inode: "2",
    sha256: "0".repeat(64),
    arguments: 1,
    flags: ["-c"],
    environment: [],
    cwd: "/ws",
  };
  return asked.decide({ principal, capability, question, history: NO_HISTORY }).allowed;
}

const launch = [{ ...SH, principal: "coder", source: "launch" }];

test("an entry lets its program be launched as its agent, and by no call", async () => {
  expect(await allows({ launch }, "coder", "agent_run")).toBe(true);
  expect(await allows({ launch }, "default", "agent_run")).toBe(false);
  expect(await allows({ launch }, "coder", "agent_run", "/opt/other")).toBe(false);
  expect(await allows({ launch }, "coder", "process_exec")).toBe(false);
});

test("what permits calls to run a program launches none, and what forbids a program forbids its launch", async () => {
  const allow = { ...NOTHING, run: [ANY] };
  expect(await allows({ allow }, "default", "process_exec")).toBe(true);
  expect(await allows({ allow }, "default", "agent_run")).toBe(false);
  expect(await allows({ ask: { ...NOTHING, run: [ANY] }, launch }, "coder", "agent_run")).toBe(true);
  expect(await allows({ deny: { ...NOTHING, run: [ANY] }, launch }, "coder", "agent_run")).toBe(false);
  const agents = { coder: { allow: {}, ask: NOTHING, deny: { ...NOTHING, run: [ANY] } } };
  expect(await allows({ agents, launch }, "coder", "agent_run")).toBe(false);
});

test("without an entry the policy is what it was before anything could be launched", () => {
  const { revision, schemaText } = compiled({}, BUILTIN);
  expect(schemaText).not.toContain("agent_run");
  expect(compiled({ launch }, BUILTIN).revision).toBe(revision);
});
