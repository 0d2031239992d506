/** What a client over HTTP does not read holds it up, and nobody who reads. */
import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { AllUnreadAnswers } from "../src/http/unread-answers.ts";

/** More than the kernel keeps of a connection, and than may wait. */
const MUCH = Buffer.alloc(64 * 1024 * 1024);

test.each([
  ["reads them", (answer: IncomingMessage) => void answer.resume()],
  ["goes away", (answer: IncomingMessage) => void answer.destroy()],
])("more is made for a client that did not read its answers once it %s", async (_, then) => {
  const unread = new AllUnreadAnswers().client();
  const server = createServer((_request, response) => {
    unread.add(response);
    response.end(MUCH);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  try {
    await unread.untilRead();
    const [answer] = (await once(get({ port: (server.address() as AddressInfo).port }), "response")) as [
      IncomingMessage,
    ];
    answer.on("error", () => undefined).pause();
    let isRead = false;
    const read = unread.untilRead().then(() => {
      isRead = true;
    });
    await sleep(200);
    expect(isRead).toBe(false);
    then(answer);
    await read;
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("clients that do not read share a bound; one that reads waits for none of them", async () => {
  const all = new AllUnreadAnswers();
  const [greedy, modest, reader] = [all.client(), all.client(), all.client()];
  const server = createServer(({ url }, response) => {
    const isGreedy = url === "/greedy";
    (isGreedy ? greedy : modest).add(response);
    // Of the modest client's less is left than one client alone may leave.
    response.end(Buffer.alloc((isGreedy ? 96 : 7) * 1024 * 1024));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const unreadAnswer = async (path: string): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ port, path }), "response")) as [IncomingMessage];
    answer.on("error", () => undefined);
    return answer.pause();
  };
  try {
    await unreadAnswer("/modest");
    await modest.untilRead();
    const answer = await unreadAnswer("/greedy");
    let isRead = false;
    const read = modest.untilRead().then(() => {
      isRead = true;
    });
    await reader.untilRead();
    await sleep(200);
    expect(isRead).toBe(false);
    answer.destroy();
    await read;
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
