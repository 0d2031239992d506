/** A session whose client left while its request was read is idle, and makes room for the next one. */
import { once } from "node:events";
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { expect, test } from "vitest";
import { HTTP_SESSIONS_MAX, HttpSessions } from "../src/http/http-sessions.ts";
import { OpenRequests } from "../src/http/open-requests.ts";
import { AllUnreadAnswers } from "../src/http/unread-answers.ts";

const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "probe", version: "1" } };
const INITIALIZE: JSONRPCMessage = { jsonrpc: "2.0", id: 1, method: "initialize", params };

test("clients that leave early take no room from those that come later", async () => {
  const sessions = new HttpSessions(() => Promise.reject(new Error("no host")), 1_000, new AllUnreadAnswers());
  const requests = new OpenRequests();
  const begun: boolean[] = [];
  const served = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const open = requests.begin();
    if (open === null) throw new Error("too many requests");
    response.once("close", () => open.left());
    request.resume();
    if (request.headers["x-leaves"] !== undefined) await once(response, "close");
    begun.push(await sessions.begin({ request, response, open, message: INITIALIZE }));
  };
  const server = createServer((request, response) => void served(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  try {
    for (let number = 1; number <= HTTP_SESSIONS_MAX; number += 1) {
      const leaving = ask({ port, method: "POST", headers: { ...headers, "x-leaves": "1" } });
      leaving.on("error", () => undefined).end("{}");
      await once(server, "request");
      leaving.destroy();
      await expect.poll(() => begun.length).toBe(number);
    }
    ask({ port, method: "POST", headers })
      .on("error", () => undefined)
      .end("{}");
    await expect.poll(() => begun.length).toBe(HTTP_SESSIONS_MAX + 1);
    expect(begun).not.toContain(false);
  } finally {
    await sessions.close();
    server.closeAllConnections();
    server.close();
  }
});
