/** The addresses at which metrics and health are served: who is refused, and that nobody keeps others from asking. */
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePort } from "../../telemetry/test/receiver.ts";
import { HttpEndpoint } from "../src/endpoints/http-endpoint.ts";
import { ObservabilityEndpoints } from "../src/endpoints/observability-endpoints.ts";

let port: number;
let endpoint: HttpEndpoint;
let asked: number;
beforeEach(async () => {
  port = await freePort();
  asked = 0;
  const routes = {
    "/metrics": () => {
      asked += 1;
      return { status: 200, type: "text/plain", body: `up 1\n` };
    },
  };
  endpoint = await HttpEndpoint.listen({ address: { host: "127.0.0.1", port }, hosts: ["proxy.example:80"], routes });
});
afterEach(async () => {
  await endpoint.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function ask(path: string, headers: Record<string, string> = {}, method = "GET", at = port): Promise<Answer> {
  const asking = request({ host: "127.0.0.1", port: at, path, method, headers, agent: false });
  asking.end();
  const [response] = (await once(asking, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode ?? 0, text, headers: response.headers };
}

/** Sends exactly this, and takes what comes back until the end. */
async function raw(text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  let answer = "";
  socket.on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(text, "latin1");
  await closed;
  return answer;
}

describe("whoever asks", () => {
  test("by a name that is not ours was led here, and hears nothing", async () => {
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, "proxy.example:80"]) {
      expect((await ask("/metrics", { host })).status).toBe(200);
    }
    const before = asked;
    const strangers = [
      ...["evil.example", `evil.example:${port}`, "127.0.0.1", "127.0.0.1:1", "localhost", "proxy.example"],
      ...[`127.0.0.1:${port}.evil.example`, `127.0.0.1:${port}, evil.example`, `[::1]:${port}`, "0.0.0.0"],
    ];
    for (const host of strangers) expect([host, (await ask("/metrics", { host })).status]).toEqual([host, 421]);
    expect(await raw("GET /metrics HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 421/);
    expect(await raw("GET /metrics HTTP/1.1\r\nHost:\r\n\r\n")).toMatch(/^HTTP\/1\.1 421/);
    const ours = `Host: 127.0.0.1:${port}\r\n`;
    expect(await raw(`GET /metrics HTTP/1.1\r\n${ours}Host: evil.example\r\n\r\n`)).toMatch(/^HTTP\/1\.1 421/);
    expect(asked).toBe(before);
  });

  test("from another page is refused, whatever the name", async () => {
    for (const headers of [
      { origin: "http://evil.example" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${port}` },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      expect((await ask("/metrics", headers)).status).toBe(403);
    }
    expect((await ask("/metrics", { "sec-fetch-site": "none" })).status).toBe(200);
    const { headers } = await ask("/metrics");
    expect(headers).toMatchObject({ "cross-origin-resource-policy": "same-origin", "cache-control": "no-store" });
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  });

  test("wants to read, and one of the paths", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      expect((await ask("/metrics", {}, method)).status).toBe(405);
    }
    for (const path of ["/", "/metrics/", "/metrics/..", "/%6detrics", "/__proto__", "/toString", "//metrics"]) {
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
    }
    expect(await ask("/metrics?x=1")).toMatchObject({ status: 200, text: "up 1\n" });
    expect(await ask("/metrics", {}, "HEAD")).toMatchObject({ status: 200, text: "" });
  });

  test("sends no body that is read, no second request, and no large headers", async () => {
    const host = `Host: 127.0.0.1:${port}\r\n`;
    const two = `GET /metrics HTTP/1.1\r\n${host}Content-Length: 4\r\n\r\nGET GET /metrics HTTP/1.1\r\n${host}\r\n`;
    expect((await raw(two)).match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(await raw(`GET /metrics HTTP/1.1\r\n${host}X: ${"x".repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
    expect(await raw("\u0000\u0001nonsense\r\n\r\n")).toMatch(/^HTTP\/1\.1 400/);
  });
});

describe("connections", () => {
  test("that do nothing are few, and end by themselves", async () => {
    const idle: Socket[] = [];
    for (let index = 0; index < 64; index += 1) {
      // One that is told why it is shut has to read that, or it never sees its own end.
      idle.push(
        connect(port, "127.0.0.1")
          .on("error", () => undefined)
          .resume(),
      );
    }
    const ended = Promise.all(idle.map((socket) => once(socket, "close")));
    // A newcomer is served while all places are held.
    expect((await ask("/metrics")).status).toBe(200);
    // Those that are too many are shut at once; the others do not keep theirs.
    await expect.poll(() => idle.filter(({ destroyed }) => destroyed).length).toBeGreaterThanOrEqual(48);
    await ended;
    expect((await ask("/metrics")).status).toBe(200);
  });
});

describe("an address", () => {
  test("that say something now and then and never all of it end by themselves", async () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined).resume();
    socket.write(`GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Slow: `);
    const drip = setInterval(() => socket.write("x"), 300);
    const late = new Promise((resolve) => setTimeout(() => resolve("still there"), 10_000));
    expect(await Promise.race([once(socket, "close").then(() => "gone"), late])).toBe("gone");
    clearInterval(drip);
  }, 20_000);

  test("that somebody else has is a fault, and takes back the other one", async () => {
    const free = await freePort();
    const taken = { host: "127.0.0.1", port };
    const configuration = { health: taken, prometheus: { host: "127.0.0.1", port: free } } as never;
    const observed = { status: () => null, metrics: () => null };
    await expect(ObservabilityEndpoints.listen(configuration, observed)).rejects.toMatchObject({
      code: "FEMTO_ENDPOINT_TAKEN",
    });
    await expect(ask("/metrics", {}, "GET", free)).rejects.toThrow("ECONNREFUSED");
  });

  test("says what is so before there is a runtime, while it drains and when it failed", async () => {
    const free = await freePort();
    const address = { host: "127.0.0.1", port: free };
    let status: unknown = null;
    const observed = { status: () => status as null, metrics: () => null };
    const endpoints = await ObservabilityEndpoints.listen({ health: address, prometheus: address } as never, observed);
    const look = async (): Promise<unknown[]> => {
      const answers = await Promise.all(["/livez", "/readyz", "/metrics"].map((path) => ask(path, {}, "GET", free)));
      return answers.map(({ status: code }) => code);
    };
    expect(await look()).toEqual([200, 503, 503]);
    status = { phase: "idle", ready: true, not_ready: null };
    expect(await look()).toEqual([200, 200, 503]);
    const reason = "the journal's disk is full: /home/somebody/state";
    status = { phase: "idle", ready: false, not_ready: { code: "FEMTO_DISK_FULL", reason } };
    expect(await look()).toEqual([200, 503, 503]);
    const { text, headers } = await ask("/readyz", {}, "GET", free);
    expect([text.includes("FEMTO_DISK_FULL"), text.includes("somebody"), headers["retry-after"]]).toEqual([
      ...[true, false],
      "1",
    ]);
    status = { phase: "error", ready: false, not_ready: { code: "FEMTO_DRAINING", reason } };
    expect(await look()).toEqual([503, 503, 503]);
    await endpoints.close();
  });
});
