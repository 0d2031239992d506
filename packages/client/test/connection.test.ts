/** The client against sockets that behave, misbehave and go away. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { Journal, proveContinuation, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import { LIMITS, type LogContinuation } from "@femtoclaw/protocol";
import { MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AgentClient, HostConnection, LogMemory, OperatorClient } from "../src/index.ts";

let folder: string;
let server: Server | null = null;
const sockets: Socket[] = [];
/** How a real log that nobody has seen before shows itself. */
let continuation: LogContinuation;
beforeAll(async () => {
  const journal = await Journal.open({
    store: new MemoryStore(),
    keyring: new MemoryKeyring(),
    boot: "boot",
    clock: systemClock(),
    machines: MACHINE_IDENTITIES,
  });
  await journal.checkpoint();
  continuation = await proveContinuation(journal, null);
  await journal.close();
});
beforeEach(() => {
  folder = mkdtempSync("/tmp/fc-");
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())));
  server = null;
  rmSync(folder, { recursive: true });
});

/** Remembers in this test's folder. */
function memory(): LogMemory {
  const warn = (reason: string): void => expect.fail(reason);
  return new LogMemory({ environment: { XDG_STATE_HOME: join(folder, "state") }, place: folder, warn });
}

const agent = (at = folder): Promise<AgentClient> => AgentClient.connect(at, memory());
const operator = (): Promise<OperatorClient> => OperatorClient.connect(folder, memory());

/** As the kernel does it for a process that is stopped: whoever connects is let in, and hears nothing. */
async function listenInSilence(): Promise<void> {
  server = createServer((socket) => sockets.push(socket));
  const listening = server;
  await new Promise<void>((resolve) => listening.listen(join(folder, "agent.sock"), resolve));
}

/** A host that shows its log, and does with each further line what it is told to. */
async function listen(name: "agent" | "operator", onLine: (line: string, socket: Socket) => void): Promise<string> {
  server = createServer((socket) => {
    let rest = "";
    socket.setEncoding("utf8").on("error", () => undefined);
    socket.on("data", (chunk) => {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.includes('"verb":"log.follow"')) answer(socket, idOf(line), continuation);
        else onLine(line, socket);
      }
    });
  });
  const path = join(folder, `${name}.sock`);
  await new Promise<void>((resolve) => server?.listen(path, resolve));
  return path;
}

const idOf = (line: string): number => (JSON.parse(line) as { id: number }).id;
const answer = (socket: Socket, id: number | null, value: unknown): void =>
  void socket.write(`${JSON.stringify({ id, ok: true, value })}\n`);

describe("a request", () => {
  test("sends the very bytes in base64 and gets the answer that has its id, in whatever order", async () => {
    const held: string[] = [];
    await listen("agent", (line, socket) => {
      held.push(line);
      if (held.length < 3) return;
      for (const each of held.toReversed())
        answer(socket, idOf(each), (JSON.parse(each) as { message: string }).message);
    });
    await using client = await agent();
    const messages = [Buffer.from([0xff, 0x00]), Buffer.from("{}"), Buffer.alloc(0)];
    const replies = await Promise.all(messages.map((message) => client.propose(message)));
    expect(replies).toEqual(messages.map((message) => message.toString("base64")));
  });

  test("takes an answer that comes in pieces, and passes over answers that it did not ask for", async () => {
    await listen("agent", (line, socket) => {
      answer(socket, null, "to nobody");
      answer(socket, 4711, "to somebody else");
      const text = `${JSON.stringify({ id: idOf(line), ok: true, value: "ä€😀" })}\n`;
      for (const byte of Buffer.from(text)) socket.write(Buffer.from([byte]));
    });
    await using client = await agent();
    expect(await client.cancel("x")).toBe("ä€😀");
  });

  test("that cannot be sent is refused before the host hears of it, and none waits for its answer", async () => {
    const lines: string[] = [];
    await listen("agent", (line, socket) => {
      lines.push(line);
      answer(socket, idOf(line), true);
    });
    await using client = await agent();
    const message = Buffer.from("{}");
    const odd: unknown[] = [{ signal: {} }, { signal: null }, { onOutput: 5 }, { trace: null }, { canAnswer: 5 }, null];
    for (const options of odd) {
      const refused = expect(client.propose(message, options as never), String(options)).rejects;
      await refused.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
    }
    for (const junk of [undefined, null, 5, "{}", [], {}, 10n]) {
      await expect(client.propose(junk as never)).rejects.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
    }
    await expect(client.wait(10n as never)).rejects.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
    const long = "x".repeat(LIMITS.socketLineBytes);
    for (const request of [
      () => client.wait(long),
      () => client.propose(Buffer.from(long)),
      () => client.propose(message, { label: long }),
      () => client.answer("1", { long }),
    ]) {
      const refused = expect(request()).rejects;
      await refused.toMatchObject({
        code: "FEMTO_SOCKET_REQUEST",
        message: expect.stringContaining("at most 1572864"),
      });
    }
    expect(lines).toEqual([]);
    expect(await client.cancel("x")).toBe(true);
  });

  test("throws the host's own error; one that is not known here is an internal one", async () => {
    const codes = ["FEMTO_CAPABILITY_DISABLED", "FEMTO_OF_THE_FUTURE", "constructor"];
    await listen("operator", (line, socket) => {
      const error = { code: codes[idOf(line) - 2], reason: "because", fix: "do this" };
      socket.write(`${JSON.stringify({ id: idOf(line), ok: false, error })}\n`);
    });
    await using client = await operator();
    for (const code of ["FEMTO_CAPABILITY_DISABLED", "FEMTO_INTERNAL", "FEMTO_INTERNAL"]) {
      await expect(client.switchCapability("x", "enable")).rejects.toMatchObject({
        code,
        message: "because",
        fix: "do this",
      });
    }
  });
});

describe("a connection", () => {
  test("to nobody is refused with the code that says so", async () => {
    await expect(agent()).rejects.toMatchObject({ code: "FEMTO_HOST_NOT_RUNNING" });
    await expect(agent("/no/such/folder")).rejects.toMatchObject({ code: "FEMTO_HOST_NOT_RUNNING" });
    await expect(HostConnection.open(join(folder, "x".repeat(200)))).rejects.toMatchObject({
      code: "FEMTO_HOST_NOT_RUNNING",
    });
  });

  test("that is taken and answers nothing is given up, and nothing was proposed over it", async () => {
    await listenInSilence();
    await expect(AgentClient.connect(folder, memory(), { silentMs: 20 })).rejects.toMatchObject({
      code: "FEMTO_HOST_SILENT",
      message: expect.stringContaining("answered nothing for 20 ms"),
      exit: 69,
    });
    const connection = await HostConnection.open(join(folder, "agent.sock"));
    const other = connection.request("status");
    await expect(connection.requestSoon("log.follow", {}, 20)).rejects.toMatchObject({ code: "FEMTO_HOST_SILENT" });
    await expect(other).rejects.toMatchObject({ code: "FEMTO_HOST_SILENT" });
    await connection.closed;
  });

  test.each([
    ["is closed", (socket: Socket) => void socket.end()],
    ["is torn down", (socket: Socket) => void socket.destroy()],
    ["is closed within an answer", (socket: Socket) => void socket.end('{"id":2,"ok":tr')],
  ])("that %s mid-request rejects what waits and what follows", async (_name, end) => {
    let requests = 0;
    await listen("agent", (_line, socket) => {
      requests += 1;
      if (requests === 3) end(socket);
    });
    await using client = await agent();
    const waiting = await Promise.allSettled([1, 2, 3].map(() => client.propose(Buffer.from("{}"))));
    for (const outcome of waiting) {
      // INVARIANT: I2: nobody is led to send again what may have been done.
      const fix = expect.stringContaining("may have been executed");
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "FEMTO_HOST_NOT_RUNNING", fix } });
    }
    await expect(client.tools()).rejects.toMatchObject({ code: "FEMTO_HOST_NOT_RUNNING" });
  });

  test.each(["nonsense", "null", '{"id":2,"ok":false}', '{"id":2,"ok":false,"error":null}'])(
    "over which %j comes ends with an error and no exception elsewhere",
    async (text) => {
      await listen("agent", (_line, socket) => void socket.write(`${text}\n`));
      await using client = await agent();
      await expect(client.tools()).rejects.toMatchObject({ code: "FEMTO_INTERNAL" });
    },
  );

  test.each(["[]", "7"])("over which %j comes, which answers no request, goes on waiting", async (text) => {
    await listen("agent", (line, socket) => {
      socket.write(`${text}\n`);
      setTimeout(() => answer(socket, idOf(line), ["late"]), 100);
    });
    await using client = await agent();
    expect(await client.tools()).toEqual(["late"]);
  });

  test("that does not take a client's name for itself is given up, and not left open", async () => {
    let left: Promise<unknown> = Promise.reject(new Error("nobody connected"));
    left.catch(() => undefined);
    await listen("agent", (line, socket) => {
      left = once(socket, "close");
      const error = { code: "FEMTO_SOCKET_REQUEST", reason: "the session has begun", fix: "None." };
      socket.write(`${JSON.stringify({ id: idOf(line), ok: false, error })}\n`);
    });
    const named = AgentClient.connect(folder, memory(), { label: "a name" });
    await expect(named).rejects.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
    await left;
  });

  test("closes in time although the host reads nothing", async () => {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.once("data", (line) => {
        answer(socket, idOf(String(line)), continuation);
        socket.pause();
      });
    });
    await new Promise<void>((resolve) => server?.listen(join(folder, "agent.sock"), resolve));
    const client = await agent();
    const asked = Array.from({ length: 4 }, () => client.propose(Buffer.alloc(1 << 20, "x")));
    const refused = asked.map((one) => expect(one).rejects.toMatchObject({ code: "FEMTO_HOST_NOT_RUNNING" }));
    await client.close();
    await Promise.all(refused);
    await client.close();
  });

  test("tells when it has ended", async () => {
    await listen("operator", (line, socket) => {
      answer(socket, idOf(line), null);
      socket.end();
    });
    await using client = await operator();
    let hasEnded = false;
    const ended = client.closed.then(() => {
      hasEnded = true;
    });
    await new Promise(setImmediate);
    expect(hasEnded).toBe(false);
    await client.stop({ now: false });
    await ended;
  });
});
