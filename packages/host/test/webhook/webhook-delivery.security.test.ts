/** A webhook that is down, slow, silent, wrong or hostile: it is told in the end or given up, and can do nothing else. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "@femtoclaw/journal";
import { expect, it, onTestFinished } from "vitest";
import { WebhookDelivery } from "../../src/webhook/webhook-delivery.ts";
import { signedRequest } from "../../src/webhook/webhook-message.ts";
import { isGenuine, KEY, messageOf, quickClock, Receiver } from "./receiver.ts";

function deliveryTo(url: string, isOpen: (id: string) => boolean = () => true) {
  const changes: (string | null)[] = [];
  const delivery = new WebhookDelivery({
    url,
    key: KEY,
    clock: quickClock(),
    isOpen,
    onChange: (error) => changes.push(error),
  });
  onTestFinished(() => delivery.stop());
  return { delivery, changes };
}

it("tells in order, signed, with an identifier and a time", async () => {
  const receiver = await Receiver.open();
  const { delivery, changes } = deliveryTo(receiver.url);
  for (const id of [1, 2, 3]) delivery.add(messageOf(id));
  await expect.poll(() => delivery.status.delivered).toBe(3);
  expect(receiver.told).toEqual(["asked 1", "asked 2", "asked 3"]);
  for (const received of receiver.received) {
    expect(isGenuine(received, KEY)).toBe(true);
    expect(isGenuine(received, `${KEY}!`)).toBe(false);
    expect(isGenuine({ ...received, body: received.body.replace("asked", "expired") }, KEY)).toBe(false);
    expect(Math.abs(Number(received.headers["webhook-timestamp"]) - Date.now() / 1_000)).toBeLessThan(60);
  }
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(3);
  expect(changes).toEqual([]);
});

it("holds nothing that acts where it is shown, and no long text", () => {
  const texts = { tool: "\u001b]0;x\u0007", rule: "\u202eevil", reason: "\n<!channel> ".repeat(5_000) };
  const message = messageOf(1, { ...texts, answer: { answer: "granted", by: "\u0000uid", complete: true } });
  const { body } = signedRequest(message, KEY, 0);
  expect(body).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(body.length).toBeLessThan(8_192);
  for (const text of Object.values(JSON.parse(body) as object)) expect(String(text)).not.toMatch(/[\n\u001b\u202e]/);
});

it.each<[string, Receiver["answer"], string]>([
  ["answers 500", (_, response) => response.writeHead(500).end("down"), "status 500"],
  [
    "redirects",
    (_, response) => response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end(),
    "status 307",
  ],
  ["never answers", () => undefined, "no answer in 10000 ms"],
  ["hangs up", (request) => request.socket.destroy(), "could not be reached"],
  ["speaks no HTTP", (request) => request.socket.end("220 smtp\r\n"), "could not be reached"],
])("that %s is told again, until it takes it", async (_, answer, error) => {
  const receiver = await Receiver.open();
  let attempts = 0;
  receiver.answer = (request, response) => {
    attempts += 1;
    if (attempts <= 2) answer(request, response);
    else response.writeHead(200).end();
  };
  const { delivery, changes } = deliveryTo(receiver.url);
  delivery.add(messageOf(1));
  await expect.poll(() => delivery.status.error, { interval: 1 }).toContain(error);
  await expect.poll(() => delivery.status).toMatchObject({ delivered: 1, waiting: 0, error: null });
  expect(attempts).toBe(3);
  expect(changes).toEqual([expect.stringContaining(error), null]);
  // The same message each time, signed for its own moment.
  expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  for (const received of receiver.received) expect(isGenuine(received, KEY)).toBe(true);
});

it("follows no redirect, whatever it says", async () => {
  const elsewhere = await Receiver.open();
  const receiver = await Receiver.open();
  const codes = [301, 302, 303, 307, 308];
  receiver.answer = (_, response) =>
    response.writeHead(codes.shift() ?? 204, { location: elsewhere.url, refresh: `0; url=${elsewhere.url}` }).end();
  const { delivery } = deliveryTo(receiver.url);
  delivery.add(messageOf(1));
  await expect.poll(() => delivery.status.delivered).toBe(1);
  expect(receiver.received).toHaveLength(6);
  expect(elsewhere.received).toEqual([]);
});

it("reads nothing of what it answers, however much that is", async () => {
  const receiver = await Receiver.open();
  let written = 0;
  let closed = 0;
  receiver.answer = (_, response) => {
    response.writeHead(200);
    response.once("close", () => {
      closed += 1;
    });
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(65_536))) written += 65_536;
      response.once("drain", more);
    };
    more();
  };
  const { delivery } = deliveryTo(receiver.url);
  for (const id of [1, 2, 3]) delivery.add(messageOf(id));
  await expect.poll(() => delivery.status.delivered).toBe(3);
  await expect.poll(() => closed).toBe(3);
  // What the kernel holds on the way is all that was ever taken of it.
  expect(written).toBeLessThan(64 * 1_048_576);
});

it("that is down is told when it is up, of what is still open", async () => {
  const gone = await Receiver.open();
  const { port } = gone;
  await gone.close();
  const { delivery } = deliveryTo(`http://127.0.0.1:${port}/hook`);
  for (const id of [1, 2]) delivery.add(messageOf(id));
  await expect.poll(() => delivery.status.error).toContain("ECONNREFUSED");
  const receiver = await Receiver.open(port);
  await expect.poll(() => delivery.status.delivered).toBe(2);
  expect(new Set(receiver.told)).toEqual(new Set(["asked 1", "asked 2"]));
});

it("that takes nothing is asked ever more seldom", async () => {
  const receiver = await Receiver.open();
  receiver.answer = (_, response) => response.writeHead(503).end();
  const { delivery } = deliveryTo(receiver.url);
  delivery.add(messageOf(1));
  await expect.poll(() => receiver.received.length).toBeGreaterThan(1);
  // Some forty seconds of that clock.
  await sleep(200);
  expect(receiver.received.length).toBeLessThan(15);
  // What is asked meanwhile does not hurry it.
  const before = receiver.received.length;
  for (let id = 2; id < 100; id += 1) delivery.add(messageOf(id));
  expect(delivery.status.waiting).toBe(99);
  expect(receiver.received.length).toBe(before);
});

it("one message that is never taken keeps no other one back, and is given up once nobody can act on it", async () => {
  const receiver = await Receiver.open();
  receiver.answer = (_, response) => response.writeHead(receiver.received.at(-1)?.message.id === "1" ? 400 : 200).end();
  let isOpen = true;
  let passedUs = 0;
  const clock: Clock = { ...quickClock(), monotonicUs: () => passedUs };
  const parts = { url: receiver.url, key: KEY, clock, isOpen: () => isOpen, onChange: () => undefined };
  const delivery = new WebhookDelivery(parts);
  onTestFinished(() => delivery.stop());
  for (const id of [1, 2, 3]) delivery.add(messageOf(id));
  await expect.poll(() => delivery.status.delivered).toBe(2);
  // Late, and still open.
  passedUs = 3_600_000_001;
  await expect.poll(() => receiver.received.length).toBeGreaterThan(4);
  expect(delivery.status).toMatchObject({ waiting: 1, given_up: 0 });
  isOpen = false;
  await expect.poll(() => delivery.status).toMatchObject({ delivered: 2, waiting: 0, given_up: 1 });
});

it("a flood is bounded, and what can still be acted on stays", async () => {
  const receiver = await Receiver.open();
  receiver.answer = () => undefined;
  const { delivery } = deliveryTo(receiver.url, (id) => Number(id) < 200);
  for (let id = 0; id < 5_000; id += 1) {
    delivery.add(messageOf(id, id < 200 ? {} : { event: "expired" }));
  }
  expect(delivery.status.waiting).toBeLessThanOrEqual(1_025);
  expect(delivery.status.given_up).toBeGreaterThan(3_900);
  receiver.answer = (_, response) => response.writeHead(200).end();
  delivery.stop();
  await expect.poll(() => delivery.status.waiting).toBe(0);
  const told = receiver.received.length;
  await sleep(100);
  expect(receiver.received.length).toBe(told);
});
