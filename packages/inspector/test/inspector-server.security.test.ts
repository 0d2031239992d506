/** Attacks on the local server: other pages, other names, other programs, and clients that misbehave. */
import { once } from "node:events";
import { type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TEXT_CHARS_MAX } from "../src/capped-json.ts";
import { type InspectorServer, serveInspector } from "../src/inspector-server.ts";
import { type GoldenInspection, goldenInspection } from "./golden-inspection.ts";

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Asked {
  readonly method?: string;
  /** Or names and values by turns, where a name is there twice. */
  readonly headers?: Record<string, string> | readonly string[];
  readonly body?: string;
}

let inspection: GoldenInspection;
let server: InspectorServer;
let session = "";

/** Raw HTTP, because a browser's `fetch` does not let a test lie about where it comes from. */
async function ask(
  to: InspectorServer,
  path: string,
  { method = "GET", headers = {}, body }: Asked = {},
): Promise<Answered> {
  const sent = request(`${to.origin}${path}`, { method, headers, agent: false });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

const ticketOf = ({ url }: InspectorServer): string => new URL(url).hash.slice(1);

const exchange = (to: InspectorServer, ticket: string, headers: Record<string, string> = {}) =>
  ask(to, "/v1/session", { method: "POST", headers, body: JSON.stringify({ ticket }) });

const asOperator = (): Record<string, string> => ({ authorization: `Bearer ${session}` });

beforeAll(async () => {
  inspection = await goldenInspection();
  server = await serveInspector(inspection);
  session = (JSON.parse((await exchange(server, ticketOf(server))).body) as { session: string }).session;
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await inspection[Symbol.asyncDispose]();
});

const DATA = ["begin", "records?from=0", "status", "bodies/1", "explanations/1", "proofs/1", "questions"];

test("listens on loopback alone", () => {
  expect(new URL(server.origin).hostname).toBe("127.0.0.1");
});

test("answers the one who has the session", async () => {
  for (const path of DATA) expect((await ask(server, `/v1/${path}`, { headers: asOperator() })).status, path).toBe(200);
});

describe("a stranger", () => {
  test.each(DATA)("gets nothing of %s without a session, or with a wrong one", async (path) => {
    const wrong = ["", "Bearer ", `Bearer ${session}x`, `Bearer ${ticketOf(server)}`, `Basic ${session}`, session];
    for (const authorization of wrong) {
      const { status, body } = await ask(server, `/v1/${path}`, { headers: { authorization } });
      expect(status, authorization).toBe(401);
      expect(body.length).toBeLessThan(200);
    }
    const cookie = { cookie: `femtoclaw.session=${session}` };
    expect((await ask(server, `/v1/${path}`, { headers: cookie })).status).toBe(401);
  });

  test("gets the page, which holds no data, and no other file", async () => {
    const page = await ask(server, "/");
    expect(page.status).toBe(200);
    expect(page.body).not.toContain("golden");
    expect(page.body).not.toContain(session);
    for (const path of [
      "/../../../etc/passwd",
      "/%2e%2e/etc/passwd",
      "/v1/../../etc/passwd",
      "//etc/passwd",
      "//",
      "/page.js",
    ]) {
      const { status, body } = await ask(server, path);
      expect(status, path).toBe(401);
      expect(body).not.toContain("root:");
    }
  });

  test("cannot use the ticket a second time, nor guess one", async () => {
    for (const ticket of [ticketOf(server), "", "x".repeat(43), "null"]) {
      expect((await exchange(server, ticket)).status).toBe(401);
    }
  });
});

describe("another page", () => {
  test("is refused by its origin, even with the session", async () => {
    for (const origin of [
      "https://evil.example",
      "null",
      "http://127.0.0.1",
      "http://localhost:1",
      `${server.origin}.evil`,
    ]) {
      const { status, headers } = await ask(server, "/v1/begin", { headers: { ...asOperator(), origin } });
      expect(status, origin).toBe(403);
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  });

  test("is refused by how its browser says that it came", async () => {
    for (const site of ["cross-site", "same-site", "none"]) {
      const headers = { ...asOperator(), "sec-fetch-site": site, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" };
      expect((await ask(server, "/v1/begin", { headers })).status, site).toBe(403);
    }
    const framed = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" };
    expect((await ask(server, "/", { headers: framed })).status).toBe(403);
    const opened = { ...framed, "sec-fetch-dest": "document" };
    expect((await ask(server, "/", { headers: opened })).status).toBe(200);
    expect((await ask(server, "/v1/begin", { headers: { ...asOperator(), ...opened } })).status).toBe(403);
  });

  test("does not get here under another name, as DNS rebinding would have it", async () => {
    const { port } = new URL(server.origin);
    for (const host of [`evil.example:${port}`, `localhost:${port}`, "127.0.0.1", `127.0.0.1:${port}.evil`]) {
      for (const path of ["/", "/v1/begin"]) {
        const { status } = await ask(server, path, { headers: { ...asOperator(), host } });
        expect([400, 421], `${host} ${path}`).toContain(status);
      }
    }
  });

  test("does not get here under two names", async () => {
    const { host } = new URL(server.origin);
    const own = ["host", host, ...Object.entries(asOperator()).flat()];
    expect((await ask(server, "/v1/begin", { headers: own })).status).toBe(200);
    for (const second of ["evil.example", host]) {
      expect((await ask(server, "/v1/begin", { headers: [...own, "host", second] })).status, second).toBe(421);
    }
  });

  test("may neither frame the page nor run anything in it", async () => {
    const { headers } = await ask(server, "/");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-store",
    });
  });
});

describe("a write", () => {
  const answer = { approval: "7", digest: "a".repeat(64), answer: "granted" };
  const give = (to: InspectorServer, by: string, body: unknown) =>
    ask(to, "/v1/answers", { method: "POST", headers: { authorization: `Bearer ${by}` }, body: JSON.stringify(body) });

  test("is refused where nobody asked for it at the start", async () => {
    const { status, body } = await give(server, session, answer);
    expect(status).toBe(400);
    expect(body).toContain("--approve");
    expect(inspection.answers).toEqual([]);
  });

  test("is an answer in one form, to a digest, and nothing else", async () => {
    await using asked = await goldenInspection(true);
    await using open = await serveInspector(asked);
    const own = (JSON.parse((await exchange(open, ticketOf(open))).body) as { session: string }).session;
    const wrong = [
      { ...answer, digest: undefined },
      { ...answer, answer: "yes" },
      { ...answer, scope: "session" },
      { ...answer, reason: 7 },
      [],
      null,
      "granted",
    ];
    for (const body of wrong) expect((await give(open, own, body)).status, JSON.stringify(body)).toBe(400);
    expect((await give(open, own, { ...answer, reason: "x".repeat(20_000) })).status).toBe(400);
    expect((await give(open, session, answer)).status).toBe(401);
    for (const method of ["PUT", "DELETE", "PATCH", "POST"]) {
      const { status } = await ask(open, "/v1/begin", { method, headers: { authorization: `Bearer ${own}` } });
      expect(status, method).toBe(405);
    }
    expect(asked.answers).toEqual([]);
    expect((await give(open, own, answer)).status).toBe(200);
    expect(asked.answers).toEqual([answer]);
  });
});

describe("a client that misbehaves", () => {
  test("gets an error for what is no question", async () => {
    for (const path of [
      "records",
      "records?from=-1",
      "records?from=1e9",
      "records?from=abc",
      "proofs/x",
      "nothing",
      "bodies/",
      "bodies/%",
      "explanations/%ff",
    ]) {
      expect((await ask(server, `/v1/${path}`, { headers: asOperator() })).status, path).toBe(400);
    }
    expect((await ask(server, "/v1/begin", { headers: asOperator() })).status).toBe(200);
  });

  test("gets no text longer than a person reads", async () => {
    const { body } = await ask(server, "/v1/bodies/1", { headers: asOperator() });
    expect(body.length).toBeLessThan(TEXT_CHARS_MAX + 100);
    expect(body).toContain("1048576 characters");
  });

  test("and asks without reading costs a page for each question, and holds nobody up", async () => {
    const { port } = new URL(server.origin);
    const before = inspection.pagesRead();
    const sockets = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const socket = connect(Number(port), "127.0.0.1");
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.pause();
        const line = `GET /v1/records?from=0 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${session}\r\n\r\n`;
        socket.write(line.repeat(64));
        return socket;
      }),
    );
    for (let round = 0; round < 5; round += 1) {
      expect((await ask(server, "/v1/records?from=0", { headers: asOperator() })).status).toBe(200);
    }
    let read = -1;
    for (let now = before; now !== read; now = inspection.pagesRead()) {
      read = now;
      await sleep(300);
    }
    // As many as the buffers of the system hold, of the 1,024 that were asked for.
    expect(read - before).toBeLessThan(800);
    for (const socket of sockets) socket.destroy();
  });

  test("and says something now and then and never all of it keeps no place", async () => {
    const socket = connect(Number(new URL(server.origin).port), "127.0.0.1");
    socket.on("error", () => undefined).resume();
    socket.write("GET / HTTP/1.1\r\nX-Slow: ");
    const drip = setInterval(() => socket.write("x"), 300);
    const late = new Promise((resolve) => setTimeout(() => resolve("still there"), 20_000));
    // Not `once`, which fails if what was written last finds nobody.
    const gone = new Promise((resolve) => socket.once("close", () => resolve("gone")));
    expect(await Promise.race([gone, late])).toBe("gone");
    clearInterval(drip);
  }, 30_000);

  test("and holds any number of connections keeps nobody out, nor anybody's connection from being used again", async () => {
    await using own = await goldenInspection();
    await using open = await serveInspector(own);
    const { port } = new URL(open.origin);
    const asking = `GET /v1/begin HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
    const operator = connect(Number(port), "127.0.0.1").setEncoding("utf8");
    let heard = "";
    operator.on("data", (text: string) => {
      heard += text;
    });
    operator.on("error", () => undefined);
    const { session: shown } = JSON.parse((await exchange(open, ticketOf(open))).body) as { session: string };
    const answers = (): number => heard.split("HTTP/1.1 200 OK").length - 1;
    operator.write(`${asking}Authorization: Bearer ${shown}\r\n\r\n`);
    await expect.poll(answers).toBe(1);
    const strangers: Socket[] = [];
    for (let index = 0; index < 200; index += 1) {
      const stranger = connect(Number(port), "127.0.0.1");
      stranger.on("error", () => undefined);
      strangers.push(stranger);
      await once(stranger, "connect");
    }
    expect((await ask(open, "/v1/begin", { headers: { authorization: `Bearer ${shown}` } })).status).toBe(200);
    operator.write(`${asking}Authorization: Bearer ${shown}\r\n\r\n`);
    await expect.poll(answers).toBe(2);
    for (const socket of [operator, ...strangers]) socket.destroy();
  });

  test("and never ends its request is let go of with the server", async () => {
    await using own = await goldenInspection();
    const open = await serveInspector(own);
    const { port } = new URL(open.origin);
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write("POST /v1/session HTTP/1.1\r\n");
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await open[Symbol.asyncDispose]();
    await closed;
  });
});
