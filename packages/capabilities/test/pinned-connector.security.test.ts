/** Hosts that take a connection and say nothing, and calls that are not wanted any more meanwhile. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { exchange } from "../src/network/exchange.ts";

afterEach(() => {
  vi.useRealTimers();
});

test("a request that is not wanted any more does not go on connecting", async () => {
  const open = new Set<Socket>();
  const stopped = new AbortController();
  const server = createServer((socket) => {
    open.add(socket.on("error", () => undefined).resume());
    socket.on("close", () => open.delete(socket));
    stopped.abort();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // The time that an address has to take a connection never ends here.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  const host = {
    ...{ kind: "host" as const, scheme: "https" as const, host: "127.0.0.1", port, target: "/" },
    ...{ addresses: ["127.0.0.1"], secrets: new Map<string, string>() },
  };
  const request = { host, method: "GET", headers: {}, body: null };
  await expect(exchange(request, stopped.signal, 1_000, new Map())).rejects.toThrow("aborted");
  vi.useRealTimers();
  await expect.poll(() => open.size).toBe(0);
});
