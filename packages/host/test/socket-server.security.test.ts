/** A client that sends as much at once as it can, beside one that sends a line. */
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SocketServer } from "../src/endpoints/socket-server.ts";

const line = (id: number): string => `${JSON.stringify({ id, verb: "mark" })}\n`;

async function serving() {
  const directory = mkdtempSync(join(tmpdir(), "femtoclaw-socket-"));
  const path = join(directory, "socket");
  const asked: string[] = [];
  const closed: number[] = [];
  let connections = 0;
  const server = await SocketServer.listen(path, () => {
    connections += 1;
    const own = connections;
    return { verbs: { mark: () => asked.push(`client ${own}`) }, onClosed: () => closed.push(own) };
  });
  onTestFinished(async () => {
    await server.close();
    rmSync(directory, { recursive: true });
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(path);
    const before = connections;
    await expect.poll(() => connections).toBe(before + 1);
    return socket;
  };
  return { asked, closed, open };
}

test("what one client sent at once is taken up in portions, between which another has its turn", async () => {
  const { asked, open } = await serving();
  const [flood, calm] = [await open(), await open()];
  const answers: string[] = [];
  flood.on("data", (chunk) => answers.push(String(chunk)));
  flood.write(Array.from({ length: 300 }, (_, id) => line(id)).join(""));
  calm.write(line(0));
  await expect.poll(() => asked.length).toBe(301);
  // Both came in one turn of the loop; the flood's first portion, and perhaps its second, may have come before.
  expect(asked.indexOf("client 2")).toBeLessThanOrEqual(16);
  const ids = (): number[] =>
    answers
      .join("")
      .trim()
      .split("\n")
      .map((answer) => JSON.parse(answer).id);
  await expect.poll(() => ids().length).toBe(300);
  // None is lost, none comes twice.
  expect(new Set(ids()).size).toBe(300);
  for (const socket of [flood, calm]) socket.destroy();
});

test("whoever leaves without waiting for answers has said the last", async () => {
  const { asked, closed, open } = await serving();
  const client = await open();
  client.on("error", () => undefined);
  client.write(Array.from({ length: 3_000 }, (_, id) => line(id)).join(""), () => client.destroy());
  await expect.poll(() => closed).toEqual([1]);
  const soFar = asked.length;
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  expect(asked.length).toBe(soFar);
});

test("whoever has said all that it wants to say gets every answer", async () => {
  const { open } = await serving();
  const client = await open();
  let answers = "";
  client.on("data", (chunk) => {
    answers += String(chunk);
  });
  client.end(Array.from({ length: 3_000 }, (_, id) => line(id)).join(""));
  await new Promise((resolve) => client.once("close", resolve));
  expect(answers.trim().split("\n")).toHaveLength(3_000);
});
