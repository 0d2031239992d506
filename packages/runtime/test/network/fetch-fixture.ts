/** Servers of this machine that answer as a test says, a runtime that may ask them, and names that a test answers for. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { LookUp } from "@femtoclaw/capabilities";
import type { Configuration, Reply } from "@femtoclaw/protocol";
import { type Runtime, systemSurroundings } from "@femtoclaw/runtime";
import { onTestFinished } from "vitest";
import { call, type Home, type StartOptions, temporaryHome } from "../runtime-fixture.ts";

export interface Web {
  readonly port: number;
  /** Requests that came, as `METHOD path`. */
  readonly requests: readonly string[];
  readonly heard: readonly IncomingMessage[];
}

export async function web(answer: RequestListener, address = "127.0.0.1", port = 0): Promise<Web> {
  const requests: string[] = [];
  const heard: IncomingMessage[] = [];
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    heard.push(request);
    answer(request, response);
  });
  return { port: await listening(server, address, port), requests, heard };
}

/** A server that says the very bytes, and does what it likes with the connection. */
export async function raw(answer: (socket: Socket) => void): Promise<{ readonly port: number }> {
  return {
    port: await listening(
      createTcpServer((socket) => answer(socket.on("error", () => undefined))),
      "127.0.0.1",
      0,
    ),
  };
}

export async function listening(server: Server, address: string, port: number): Promise<number> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

export const redirect = (response: ServerResponse, location: string, status = 302): void => {
  response.writeHead(status, { location }).end();
};

export const fetching = (url: string, args: Record<string, unknown> = {}) => call("net_fetch", { url, ...args });

export interface Fetching {
  readonly runtime: Runtime;
  readonly home: Home;
  fetch(url: string, args?: Record<string, unknown>): Promise<Reply>;
}

export async function startFetching(
  configuration: Configuration,
  { lookUp = async () => [], ...options }: Partial<StartOptions> & { readonly lookUp?: LookUp } = {},
): Promise<Fetching> {
  const home = temporaryHome();
  const runtime = await home.start({
    configuration: { ...configuration, capabilities: { net_fetch: true, ...configuration.capabilities } },
    surroundings: { ...systemSurroundings(), lookUp },
    ...options,
  });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const session = runtime.openSession({ channel: "agent" });
  return { runtime, home, fetch: async (url, args) => await session.propose(fetching(url, args)) };
}
