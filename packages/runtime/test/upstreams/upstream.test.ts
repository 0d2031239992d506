/** Starts of one MCP server that follow each other closely. */
import type { UpstreamTransport } from "@femtoclaw/capabilities";
import { systemClock } from "@femtoclaw/journal";
import { expect, test } from "vitest";
import { Upstream } from "../../src/upstreams/upstream.ts";

/** A server that answers nothing. It runs until it is told to end, or until the test ends it. */
function silentServer() {
  const ended = Promise.withResolvers<string>();
  const transport: UpstreamTransport = {
    request: async () => await ended.promise.then((reason) => Promise.reject(new Error(reason))),
    notify: async () => undefined,
    listen: async () => undefined,
    agree: () => undefined,
    isStream: true,
    ended: ended.promise,
    end: (reason) => ended.resolve(reason),
  };
  return { transport, end: ended.resolve };
}

type Servers = ReturnType<typeof silentServer>[];

/** An MCP server each of whose starts adds a silent one to `servers`. */
function slowUpstream(servers: Servers, parts: Partial<ConstructorParameters<typeof Upstream>[0]>): Upstream {
  return new Upstream({
    setting: {
      name: "slow",
      at: { kind: "url", url: "http://127.0.0.1:9/mcp", headers: {} },
      pins: "first_use",
      tools: null,
    },
    clock: systemClock(),
    connect: () => {
      const server = silentServer();
      servers.push(server);
      return server.transport;
    },
    append: async () => ({ seq: 0 }),
    onListed: async () => undefined,
    onDown: () => undefined,
    ...parts,
  });
}

/** Records each end only when its function in `recorded` is called. */
function heldEnds(recorded: (() => void)[]): ConstructorParameters<typeof Upstream>[0]["append"] {
  return async ({ type }) => {
    if (type === "upstream.stopped") await new Promise<void>((resolve) => recorded.push(resolve));
    return { seq: 0 };
  };
}

test("a start that failed leaves the next start alone, however long the record of its end takes", async () => {
  const servers: Servers = [];
  const stopped: (() => void)[] = [];
  const upstream = slowUpstream(servers, { append: heldEnds(stopped) });
  const first = upstream.ready().catch(() => "failed");
  await expect.poll(() => servers.length).toBe(1);
  servers[0]?.end("it fell over");
  await expect.poll(() => stopped.length).toBe(1);
  // Its record is still on its way to the disk when the next call starts the server again.
  const second = upstream.ready().catch(() => "failed");
  await expect.poll(() => servers.length).toBe(2);
  stopped[0]?.();
  expect(await first).toBe("failed");
  const third = upstream.ready().catch(() => "failed");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(servers.length).toBe(2);
  const over = upstream.stop("the test is over");
  await expect.poll(() => stopped.length).toBe(2);
  stopped[1]?.();
  await over;
  expect(await Promise.all([second, third])).toEqual(["failed", "failed"]);
});

test("a start that failed does not wait for the end of the next one", async () => {
  const servers: Servers = [];
  let second: Promise<unknown> | null = null;
  const upstream: Upstream = slowUpstream(servers, {
    // A call that comes in the moment in which the first server is gone.
    onDown: () => {
      second ??= upstream.ready().catch(() => "failed");
    },
  });
  const first = upstream.ready().catch(() => "failed");
  await expect.poll(() => servers.length).toBe(1);
  servers[0]?.end("it fell over");
  await expect.poll(() => servers.length).toBe(2);
  expect(await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 1_000, "it waits"))])).toBe("failed");
  await upstream.stop("the test is over");
  expect(await second).toBe("failed");
});

test("a stop also waits until the end of a start before the last one is recorded", async () => {
  const servers: Servers = [];
  const stopped: (() => void)[] = [];
  const upstream = slowUpstream(servers, { append: heldEnds(stopped) });
  const first = upstream.ready().catch(() => "failed");
  await expect.poll(() => servers.length).toBe(1);
  servers[0]?.end("it fell over");
  await expect.poll(() => stopped.length).toBe(1);
  const second = upstream.ready().catch(() => "failed");
  await expect.poll(() => servers.length).toBe(2);
  let hasStopped = false;
  const over = upstream.stop("the test is over").then(() => {
    hasStopped = true;
  });
  await expect.poll(() => stopped.length).toBe(2);
  stopped[1]?.();
  expect(await second).toBe("failed");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(hasStopped).toBe(false);
  stopped[0]?.();
  await over;
  expect(await first).toBe("failed");
});
