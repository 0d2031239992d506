/** A system that runs out of descriptors or memory lets a listening server fail to accept, again and again. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Inspection, serveInspector } from "@femtoclaw/inspector";
import { serveMcpHttp } from "@femtoclaw/mcp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../telemetry/test/receiver.ts";
import { HttpEndpoint } from "../src/endpoints/http-endpoint.ts";
import { SocketServer } from "../src/endpoints/socket-server.ts";
import type { WitnessLedger } from "../src/witness/witness-ledger.ts";
import { WitnessServer } from "../src/witness/witness-server.ts";

let folder: string;
const listening: Server[] = [];
const taken = (message: unknown): void => {
  const { server } = message as { readonly server: Server };
  if (!listening.includes(server)) listening.push(server);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "femtoclaw-accepts-"));
  listening.length = 0;
  subscribe("tracing:net.server.listen:asyncEnd", taken);
});
afterEach(() => {
  unsubscribe("tracing:net.server.listen:asyncEnd", taken);
  rmSync(folder, { recursive: true });
});

interface Served {
  readonly what: string;
  /** Starts the server, and resolves with what ends it. */
  start(): Promise<() => PromiseLike<unknown>>;
}

const SERVERS: readonly Served[] = [
  {
    what: "a socket of the host",
    start: async () => {
      const handlers = { verbs: {}, onClosed: () => undefined };
      const server = await SocketServer.listen(join(folder, "socket"), () => handlers);
      return () => server.close();
    },
  },
  {
    what: "metrics and health",
    start: async () => {
      const address = { host: "127.0.0.1", port: await freePort() };
      const endpoint = await HttpEndpoint.listen({ address, hosts: [], routes: {} });
      return () => endpoint.close();
    },
  },
  {
    what: "a witness",
    start: async () => {
      const at = { host: "127.0.0.1", port: 0 };
      const server = await WitnessServer.listen({} as WitnessLedger, at, () => undefined);
      return () => server[Symbol.asyncDispose]();
    },
  },
  {
    what: "the inspector",
    start: async () => {
      const server = await serveInspector({} as Inspection);
      return () => server[Symbol.asyncDispose]();
    },
  },
  {
    what: "MCP over HTTP",
    start: async () => {
      const connect = () => Promise.reject(new Error("nobody connects here"));
      const server = await serveMcpHttp({
        connect,
        waitMs: 0,
        port: 0,
        token: "t".repeat(43),
        onError: () => undefined,
      });
      return () => server.close();
    },
  },
];

test.each(SERVERS)("$what goes on listening, and nothing ends the process", async ({ start }) => {
  const end = await start();
  const server = listening.at(-1);
  if (server === undefined) throw new Error("nothing listens");
  const failed = Object.assign(new Error("accept EMFILE"), { code: "EMFILE", syscall: "accept" });
  for (let times = 0; times < 3; times += 1) expect(server.emit("error", failed)).toBe(true);
  expect(server.listening).toBe(true);
  await end();
});
