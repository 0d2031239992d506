/** The engine that reads a policy before the runtime asks for one. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { compilePolicy, createPolicyEngine } from "@femtoclaw/policy/live";
import { expect, it, vi } from "vitest";
import { EarlyEngine } from "../src/early-engine.ts";

function policy() {
  const grants = { read: [{ path: "/project", source: "femtoclaw.toml:1:1" }], write: [], run: [] };
  const none = { read: [], write: [], run: [] };
  const authority = {
    ...{ workspace: "/project", searchPath: [], allow: grants, ask: none, deny: none, floor: [], childRead: [] },
    ...{ environment: {}, environmentNames: [] },
  };
  return compilePolicy({ authority, manifests: builtinCapabilities.map(({ manifest }) => manifest) });
}

it("has read the policy once, and decides by it only after it was activated", async () => {
  const open = vi.fn(() => createPolicyEngine());
  const early = new EarlyEngine(open);
  const expected = policy();
  early.expect(expected, null);
  early.read();
  early.read();
  const engine = await early.take();
  expect(open).toHaveBeenCalledOnce();
  engine?.activate(expected);
  expect(engine?.revision).toBe(expected.revision);
  expect(await early.take()).toBeNull();
});

it("takes no time that nobody has: without a word no engine is opened", async () => {
  const open = vi.fn(() => createPolicyEngine());
  const early = new EarlyEngine(open);
  early.expect(policy(), null);
  expect(await early.take()).toBeNull();
  early.read();
  expect(open).not.toHaveBeenCalled();
});

it("hands on the engine that answered the tests, and opens no other", async () => {
  const open = vi.fn(() => createPolicyEngine());
  const early = new EarlyEngine(open);
  const tested = await createPolicyEngine();
  early.expect(policy(), tested);
  early.read();
  expect(await early.take()).toBe(tested);
  expect(open).not.toHaveBeenCalled();
});

it("leaves it to whoever activates the policy to find out what is wrong", async () => {
  const opened = await createPolicyEngine();
  for (const open of [() => Promise.reject(new Error("no engine")), () => Promise.resolve(opened)]) {
    const early = new EarlyEngine(open);
    early.expect({ ...policy(), rules: [] }, null);
    early.read();
    expect(await early.take()).toBeNull();
  }
  expect(opened.revision).toBeNull();
});
