/** The digest of a deployment names everything in it and nothing else. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { describe, expect, it } from "vitest";
import { type DeployedParts, deploymentOf } from "../src/deployment.ts";

const manifests = builtinCapabilities.map(({ manifest }) => manifest);
const [first] = manifests;
const parts: DeployedParts = {
  binary: "a".repeat(64),
  sources: { configuration: "b".repeat(64), policy: "c".repeat(64) },
  manifests,
};

describe("a deployment", () => {
  it("is the same in whatever order its capabilities were registered", () => {
    expect(deploymentOf({ ...parts, manifests: manifests.toReversed() })).toEqual(deploymentOf(parts));
  });

  it.each<[keyof ReturnType<typeof deploymentOf>, Partial<DeployedParts>]>([
    ["binary", { binary: "d".repeat(64) }],
    ["binary", { binary: null }],
    ["configuration", { sources: { ...parts.sources, configuration: "d".repeat(64) } }],
    ["policy", { sources: { ...parts.sources, policy: "d".repeat(64) } }],
    ["capabilities", { manifests: manifests.slice(1) }],
    ["capabilities", { manifests: first === undefined ? [] : [{ ...first, version: "9.9.9" }, ...manifests.slice(1)] }],
  ])("has another digest with another %s, and differs in nothing else", (part, change) => {
    const before = deploymentOf(parts);
    const after = deploymentOf({ ...parts, ...change });
    const differing = Object.keys(before).filter((key) => Reflect.get(before, key) !== Reflect.get(after, key));
    expect(differing.sort()).toEqual(["digest", part].sort());
  });
});
