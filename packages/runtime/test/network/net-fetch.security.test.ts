/** Answers, names and redirects that are meant to do harm, between a real runtime and real servers of this machine. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { builtinCapabilities, type Capability } from "@femtoclaw/capabilities";
import type { CapabilityManifest } from "@femtoclaw/protocol";
import { recompute, systemSurroundings } from "@femtoclaw/runtime";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { describe, expect, it, onTestFinished } from "vitest";
import { ofType, recordsOf } from "../runtime-fixture.ts";
import { fetching, listening, raw, redirect, startFetching, web } from "./fetch-fixture.ts";

const OK = "HTTP/1.1 200 OK\r\n";
/** What it is, the bytes, and the code that it ends with. */
const HARMFUL: readonly (readonly [string, string, string])[] = [
  ["has headers without end", `${OK}X: ${"a".repeat(40_000)}\r\n\r\n`, "FEMTO_FETCH_TOO_LARGE"],
  ["has a thousand headers", `${OK}${"X-A: aaaaaaaaaaaaaaaa\r\n".repeat(1_000)}\r\n`, "FEMTO_FETCH_TOO_LARGE"],
  ["is no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "FEMTO_FETCH_FAILED"],
  ["has two lengths", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, "FEMTO_FETCH_FAILED"],
  [
    "has a length and chunks",
    `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "FEMTO_FETCH_FAILED",
  ],
  ["has a length that is none", `${OK}Content-Length: +5\r\n\r\nhello`, "FEMTO_FETCH_FAILED"],
  ["has a line break in a header", `${OK}X: a\nY: b\r\nContent-Length: 0\r\n\r\n`, "FEMTO_FETCH_FAILED"],
  ["has chunks that are none", `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, "FEMTO_FETCH_FAILED"],
  ["ends early", `${OK}Content-Length: 10\r\n\r\nabc`, "FEMTO_FETCH_FAILED"],
  [
    "wants to speak another protocol",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "FEMTO_FETCH_FAILED",
  ],
  ["has a body without end", `${OK}\r\n${"a".repeat(70_000)}`, "FEMTO_FETCH_TOO_LARGE"],
  [
    "claims a body without end",
    `${OK}Content-Length: 99999999999\r\n\r\n${"a".repeat(70_000)}`,
    "FEMTO_FETCH_TOO_LARGE",
  ],
];
const NET_FETCH = builtinCapabilities.find(({ manifest }) => manifest.name === "net_fetch")
  ?.manifest as CapabilityManifest;
const LIMITED = { net_fetch: { timeout_ms: 400 } };

describe("names", () => {
  it("are looked up once, and nothing but what was found is dialled, whatever they lead to later", async () => {
    const decided = await web((_, response) => response.end("decided"), "127.0.0.1");
    const rebound = await web((_, response) => response.end("rebound"), "127.0.0.2", decided.port);
    const asked: string[] = [];
    const { fetch } = await startFetching(
      { allow: { fetch: [`rebind.test:${decided.port}`] } },
      {
        lookUp: async (name) => {
          asked.push(name);
          return asked.length === 1 ? ["127.0.0.1"] : ["127.0.0.2"];
        },
      },
    );
    const url = `http://rebind.test:${decided.port}/`;
    expect((await fetch(url)).result).toMatchObject({ body: "decided", url });
    expect([asked, rebound.requests]).toEqual([["rebind.test"], []]);
    expect(decided.heard[0]?.headers.host).toBe(`rebind.test:${decided.port}`);
    expect((await fetch(url)).result).toMatchObject({ body: "rebound" });
  });

  it("that nothing permits are told to no resolver, in no call and in no redirect", async () => {
    const { port } = await web((_, response) => redirect(response, "https://stolen-words.evil.test/"));
    const asked: string[] = [];
    const { fetch } = await startFetching(
      { allow: { fetch: [`127.0.0.1:${port}`, "good.test"] }, deny: { fetch: ["bad.good.test"] } },
      {
        lookUp: async (name) => {
          asked.push(name);
          return ["10.0.0.1"];
        },
      },
    );
    for (const url of ["https://stolen-words.evil.test/", "http://good.test/", "https://good.test:8443/"]) {
      expect((await fetch(url)).policy?.rules).toEqual(["floor/unlisted-host"]);
    }
    expect((await fetch(`http://127.0.0.1:${port}/`)).error?.code).toBe("FEMTO_FETCH_REDIRECT");
    expect(asked).toEqual([]);
    expect((await fetch("https://good.test/")).policy?.rules).toEqual(["floor/private-address"]);
    expect(asked).toEqual(["good.test"]);
  });

  it("that are never found hold up no call but their own, and not for ever", async () => {
    const { port } = await web((_, response) => response.end("ok"));
    const { runtime, fetch } = await startFetching(
      { allow: { fetch: [`127.0.0.1:${port}`, "*"] } },
      { lookUp: () => new Promise(() => undefined) },
    );
    const session = runtime.openSession({ channel: "agent" });
    const lost = ["a", "b", "c", "d"].map((name) => session.propose(fetching(`https://${name}.test/`)));
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe("completed");
    for (const reply of await Promise.all(lost)) expect(reply.error?.code).toBe("FEMTO_FACTS_FAILED");
  });

  it("whose resolver answers with anything but addresses are refused", async () => {
    let found: readonly string[] = [];
    const { fetch } = await startFetching({ allow: { fetch: ["odd.test:80"] } }, { lookUp: async () => found });
    for (const odd of [["/etc/passwd"], ["localhost"], [], ["fe80::1%lo", "127.0.0.1 "]]) {
      found = odd;
      const { error, decision } = await fetch("http://odd.test/");
      expect(decision).not.toBe("AUTHORIZED");
      expect(["FEMTO_FACTS_FAILED", "FEMTO_POLICY_FORBIDDEN"], String(odd)).toContain(error?.code);
    }
  });
});

describe("an answer", () => {
  it("that means harm is an outcome and nothing more", async () => {
    const { port } = await raw((socket) => {
      socket.once("data", (request: Buffer) => {
        const [, index = "0"] = /^GET \/(\d+) /.exec(request.toString()) ?? [];
        socket.end(HARMFUL[Number(index)]?.[1] ?? "");
      });
    });
    const { fetch } = await startFetching({
      allow: { fetch: [`127.0.0.1:${port}`] },
      capabilities: { net_fetch: { output_bytes: 65_536 } },
    });
    for (const [index, [what, , code]] of HARMFUL.entries()) {
      expect((await fetch(`http://127.0.0.1:${port}/${index}`)).error, what).toMatchObject({ code });
    }
  });

  it("that another one follows is one answer", async () => {
    const one = `${OK}Content-Length: 3\r\n\r\none`;
    const { port } = await raw((socket) => socket.end(`${one}${OK}Content-Length: 3\r\n\r\ntwo`));
    const { fetch } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] } });
    const { result, error } = await fetch(`http://127.0.0.1:${port}/`);
    expect(result?.["body"] ?? error?.code).toMatch(/^(?:one|FEMTO_FETCH_FAILED)$/);
    expect(JSON.stringify(result ?? {})).not.toContain("two");
  });

  it("in single bytes is put together", async () => {
    const bytes = "1\r\na\r\n".repeat(200_000);
    const { port } = await raw((socket) => socket.end(`${OK}Transfer-Encoding: chunked\r\n\r\n${bytes}0\r\n\r\n`));
    const { fetch } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] } });
    const { result } = await fetch(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ bytes: 200_000, body: "a".repeat(200_000) });
  });

  const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
  it.each<[string, string, string]>([
    ["answers before it", "", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"],
    ["one extension of a chunk", `${CHUNKED}1;a=`, "b"],
    ["chunks of one byte with long extensions", CHUNKED, `1;${"a".repeat(4_000)}\r\nb\r\n`],
    ["one size of a chunk", CHUNKED, "0"],
    ["empty lines", "", "\r\n"],
    ["one reason", "HTTP/1.1 200 ", "O"],
  ])("whose %s never end is not listened to for the time of the call", async (_what, head, piece) => {
    const sockets: Socket[] = [];
    const { port } = await raw((socket) => {
      sockets.push(socket);
      socket.once("data", () => flood(socket, head, piece));
    });
    const { fetch } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] } });
    const { error } = await fetch(`http://127.0.0.1:${port}/`);
    expect(error).toMatchObject({ code: "FEMTO_FETCH_TOO_LARGE" });
    // With what was on its way between the two of them.
    expect(sockets.map(({ bytesWritten }) => bytesWritten < 33_554_432)).toEqual([true]);
  });

  it("that unpacks to a hundred times its size stays packed", async () => {
    const packed = gzipSync(Buffer.alloc(10_000_000));
    const { port } = await web((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(packed));
    const { fetch } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] } });
    const { result } = await fetch(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ encoding: "base64", bytes: packed.length });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["never comes", () => undefined],
    ["drips its headers", (socket) => drip(socket, `${OK}X-Drip: `)],
    ["drips its body", (socket) => drip(socket, `${OK}Content-Length: 1000\r\n\r\n`)],
  ])("that %s ends with the time of the call", async (_what, answer) => {
    const { port } = await raw(answer);
    const { fetch } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] }, capabilities: LIMITED });
    expect((await fetch(`http://127.0.0.1:${port}/`)).error).toMatchObject({ code: "FEMTO_CAPABILITY_TIMED_OUT" });
  });

  it("with names that mean something to JavaScript is data like any other", async () => {
    const { port } = await raw((socket) =>
      socket.end(`${OK}__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\n\r\n`),
    );
    const { fetch } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] } });
    const reply = await fetch(`http://127.0.0.1:${port}/`);
    expect(reply.status).toBe("completed");
    expect(Object.prototype).not.toHaveProperty("x");
  });

  it("counts over https where somebody vouches for the very name, whatever variables say", async () => {
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-tls-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    const subject = ["-subj", "/CN=secure.test", "-addext", "subjectAltName=DNS:secure.test,IP:127.0.0.1"];
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", cert, ...subject],
      {
        stdio: "ignore",
      },
    );
    const names: string[] = [];
    const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, ({ socket }, response) => {
      names.push(String((socket as TLSSocket).servername));
      response.end("private");
    });
    const port = await listening(server, "127.0.0.1", 0);
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    const before = getCACertificates("default");
    onTestFinished(() => {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      setDefaultCACertificates(before);
    });
    const { fetch } = await startFetching(
      { allow: { fetch: [`127.0.0.1:${port}`, `secure.test:${port}`, `other.test:${port}`] } },
      { lookUp: async () => ["127.0.0.1"] },
    );
    const bodyOf = async (host: string) => {
      const { result, error } = await fetch(`https://${host}:${port}/`);
      return result?.["body"] ?? error?.code;
    };
    expect(await bodyOf("secure.test")).toBe("FEMTO_FETCH_FAILED");
    setDefaultCACertificates([...before, readFileSync(cert, "utf8")]);
    expect(await bodyOf("secure.test")).toBe("private");
    expect(await bodyOf("127.0.0.1")).toBe("private");
    expect(await bodyOf("other.test")).toBe("FEMTO_FETCH_FAILED");
    expect(names).toEqual(["secure.test", "false"]);
  });
});

describe("redirects", () => {
  it("without end are a handful of records", async () => {
    const { port, requests } = await web(({ url = "/" }, response) =>
      redirect(response, `/${url.length}${url.slice(1)}`),
    );
    const { fetch, runtime } = await startFetching({ allow: { fetch: [`127.0.0.1:${port}`] } });
    expect((await fetch(`http://127.0.0.1:${port}/`)).error).toMatchObject({ code: "FEMTO_FETCH_REDIRECT" });
    expect(requests).toHaveLength(6);
    expect(ofType(await recordsOf(runtime.reader), "execution.hop").map(({ body }) => body.allowed)).toEqual([
      ...[true, true, true, true, true],
      false,
    ]);
  });

  // INVARIANT: I1: no effect without a durable decision, and a redirect is one.
  it("go nowhere when the journal takes no record of them", async () => {
    const second = await web((_, response) => response.end("there"));
    const [disk, stores] = [new MemoryDisk(), [] as MemoryStore[]];
    let isBroken = false;
    const first = await web((_, response) => {
      isBroken = true;
      for (const store of stores) store.inject({ kind: "EIO" });
      redirect(response, `http://127.0.0.1:${second.port}/`);
    });
    const createStore = (): MemoryStore => {
      const store = new MemoryStore(disk);
      if (isBroken) store.inject({ kind: "EIO" });
      stores.push(store);
      return store;
    };
    const openStorage = async () => ({ createStore, keyring: new MemoryKeyring(), claim: null });
    const { fetch } = await startFetching(
      { allow: { fetch: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] } },
      { surroundings: { ...systemSurroundings(), openStorage } },
    );
    const reply = await fetch(`http://127.0.0.1:${first.port}/`);
    expect(reply.status).not.toBe("completed");
    expect(second.requests).toEqual([]);
  });

  // A record behind the outcome would be one that no journal can be folded over.
  it("go nowhere, and into no record, once the effect has ended", async () => {
    const late: Promise<unknown>[] = [];
    const leaves: Capability = {
      isolation: "in-process",
      trusted: true,
      manifest: { ...NET_FETCH, name: "leaves" },
      execute: async ({ goOn }) => {
        const next = { url: "http://127.0.0.1:9/", method: "GET", headers: {}, hasBody: false };
        late.push(new Promise((resolve) => setTimeout(resolve, 100)).then(() => goOn(next)));
        return { event: "failed", code: "FEMTO_FETCH_FAILED", reason: "it left", fix: "nothing", sandbox: null };
      },
    };
    const { runtime, fetch } = await startFetching(
      { allow: { fetch: ["127.0.0.1:9"] } },
      { capabilities: [leaves], permit: [] },
    );
    const session = runtime.openSession({ channel: "agent" });
    await session.propose({ tool_call: { tool: "leaves", args: { url: "http://127.0.0.1:9/" } } });
    expect(await Promise.all(late)).toMatchObject([{ ok: false }]);
    expect(ofType(await recordsOf(runtime.reader), "execution.hop")).toEqual([]);
    expect((await fetch("http://127.0.0.2:9/")).status).toBe("denied");
    expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("are a handful of records for an effect that asks a thousand times", async () => {
    const asks: Capability = {
      isolation: "in-process",
      trusted: true,
      manifest: { ...NET_FETCH, name: "asks" },
      execute: async ({ goOn }) => {
        const next = { url: "http://127.0.0.1:9/", method: "GET", headers: {}, hasBody: false };
        await Promise.all(Array.from({ length: 1_000 }, () => goOn(next)));
        return { event: "failed", code: "FEMTO_FETCH_FAILED", reason: "it asked", fix: "nothing", sandbox: null };
      },
    };
    const { runtime } = await startFetching(
      { allow: { fetch: ["127.0.0.1:9"] } },
      { capabilities: [asks], permit: [] },
    );
    const session = runtime.openSession({ channel: "agent" });
    await session.propose({ tool_call: { tool: "asks", args: { url: "http://127.0.0.1:9/" } } });
    expect(ofType(await recordsOf(runtime.reader), "execution.hop")).toHaveLength(6);
  });

  it("go nowhere once the call was stopped", async () => {
    const second = await web((_, response) => response.end("there"));
    const [stopping, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const first = await web(async (_, response) => {
      stopping.resolve();
      await stopped.promise;
      redirect(response, `http://127.0.0.1:${second.port}/`);
    });
    const { runtime } = await startFetching({
      allow: { fetch: [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`] },
    });
    const session = runtime.openSession({ channel: "agent" });
    const replied = session.propose(fetching(`http://127.0.0.1:${first.port}/`));
    await stopping.promise;
    await runtime.haltSession({ session: session.id, by: "uid:0" });
    stopped.resolve();
    expect((await replied).status).toBe("error");
    expect(second.requests).toEqual([]);
  });
});

describe("a thousand requests at once", () => {
  it("are each answered or refused, and every one that was sent has its two records", async () => {
    const { port, requests } = await web((_, response) => response.end("ok"));
    const { runtime } = await startFetching(
      {
        allow: { fetch: [`many.test:${port}`] },
        limits: { queue: 2_048 },
      },
      { lookUp: async () => ["127.0.0.1"] },
    );
    const session = runtime.openSession({ channel: "agent" });
    const replies = await Promise.all(
      Array.from({ length: 1_000 }, (_, at) => session.propose(fetching(`http://many.test:${port}/${at}`))),
    );
    const records = await recordsOf(runtime.reader);
    expect(replies.filter(({ status }) => status === "completed")).toHaveLength(1_000);
    expect(new Set(requests).size).toBe(1_000);
    expect(ofType(records, "execution.intent")).toHaveLength(1_000);
    expect(ofType(records, "execution.outcome")).toHaveLength(1_000);
  });
});

function flood(socket: Socket, head: string, piece: string): void {
  const pieces = piece.repeat(Math.ceil(65_536 / piece.length));
  const more = (): void => {
    while (!socket.destroyed && socket.write(pieces));
  };
  socket.write(head);
  socket.on("drain", more);
  more();
}

function drip(socket: Socket, head: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write("a"), 20);
  socket.on("close", () => clearInterval(timer));
}
