/** Instances of one MCP server that end while the host stops. */
import { HostNames } from "@femtoclaw/capabilities";
import { systemClock } from "@femtoclaw/journal";
import { expect, test } from "vitest";
import { UpstreamInstances } from "../../src/upstreams/upstream-instances.ts";

test("a stop waits until the end of an instance that was ended before is recorded", async () => {
  const recorded: (() => void)[] = [];
  const instances = new UpstreamInstances({
    setting: {
      name: "gone",
      at: { kind: "url", url: "http://127.0.0.1:9/mcp", headers: {} },
      pins: "operator",
      tools: null,
    },
    isSandboxed: false,
    listingView: () => null,
    onListed: async () => undefined,
    clock: systemClock(),
    names: new HostNames(async () => []),
    secrets: () => "there are none",
    configuration: { upstreams: [], upstreamEnvironment: {}, stateDirectory: "/dev/null" },
    principals: ["default"],
    pins: () => ({ of: () => undefined }),
    registered: () => undefined,
    standing: () => {
      throw new Error("nobody asks");
    },
    append: async ({ type }) => {
      if (type === "upstream.stopped") await new Promise<void>((resolve) => recorded.push(resolve));
      return { seq: 0 };
    },
    log: () => undefined,
    onOffered: () => undefined,
  });
  const ready = instances
    .of(null)
    .ready()
    .catch(() => "failed");
  await expect.poll(() => recorded.length).toBe(1);
  instances.endAll();
  let hasStopped = false;
  const stopping = instances.stop("the test is over").then(() => {
    hasStopped = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(hasStopped).toBe(false);
  recorded[0]?.();
  await stopping;
  expect(await ready).toBe("failed");
});
