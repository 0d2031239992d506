/** Stored secrets: to their own host and to nobody else, by whatever way somebody tries, and in no record of it. */
import { chmodSync, linkSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recompute } from "@femtoclaw/runtime";
import { describe, expect, it } from "vitest";
import { call, ofType, recordsOf } from "../runtime-fixture.ts";
import { type Fetching, redirect, startFetching, web } from "./fetch-fixture.ts";

const VALUE = 'forge-pat"7731&x=';
const SPELLINGS = [
  VALUE,
  encodeURIComponent(VALUE),
  Buffer.from(VALUE).toString("base64"),
  Buffer.from(VALUE).toString("hex"),
];
const BY = "uid:0";
const USING = { headers: { Authorization: "Bearer secret://forge" } };

async function withSecret(port: number, ...more: number[]): Promise<Fetching> {
  const fetching = await startFetching({
    allow: { fetch: [port, ...more].map((each) => `127.0.0.1:${each}`) },
  });
  await fetching.runtime.secrets.add({ name: "forge", host: "127.0.0.1", port, value: VALUE }, BY);
  return fetching;
}

const holdsValue = (found: unknown): boolean => {
  const text = JSON.stringify(found);
  return [...SPELLINGS, JSON.stringify(VALUE).slice(1, -1)].some((spelling) => text.includes(spelling));
};

describe("a stored secret", () => {
  it("is put into the header on the way out, and is nowhere else", async () => {
    const { port, heard } = await web(({ headers }, response) => {
      const echo = String(headers.authorization);
      response.setHeader("x-echo", echo).end(SPELLINGS.map((spelling) => `${echo} ${spelling}`).join("\n"));
    });
    const { fetch, runtime } = await withSecret(port);
    const reply = await fetch(`http://127.0.0.1:${port}/`, USING);
    expect(heard[0]?.headers.authorization).toBe(`Bearer ${VALUE}`);
    expect(reply.result?.["body"]).toContain("Bearer [secret forge]");
    expect(holdsValue(reply)).toBe(false);
    const records = await recordsOf(runtime.reader);
    expect(holdsValue(records)).toBe(false);
    expect(holdsValue(runtime.status())).toBe(false);
    const [intent] = ofType(records, "execution.intent");
    expect(intent?.body.facts).toMatchObject({ questions: [{ injects: ["forge"], headers: ["authorization"] }] });
    expect(ofType(records, "secret.added").map(({ body }) => body)).toEqual([
      { name: "forge", host: "127.0.0.1", port },
    ]);
    expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("goes to no other port, and such a request is never sent", async () => {
    const own = await web((_, response) => response.end());
    const other = await web((_, response) => response.end());
    const { fetch } = await withSecret(own.port, other.port);
    for (const value of ["secret://forge", "a secret://forge b"]) {
      const { error } = await fetch(`http://127.0.0.1:${other.port}/`, { headers: { "X-A": value } });
      expect(error).toMatchObject({ code: "FEMTO_FACTS_FAILED" });
    }
    expect(other.requests).toEqual([]);
  });

  it("goes to no other origin by a redirect, neither as a value nor as a reference", async () => {
    const other = await web((_, response) => response.end("there"));
    const own = await web((_, response) => redirect(response, `http://127.0.0.1:${other.port}/`));
    const { fetch } = await withSecret(own.port, other.port);
    const headers = { Authorization: "secret://forge", Accept: "text/secret://forge" };
    expect((await fetch(`http://127.0.0.1:${own.port}/`, { headers })).status).toBe("completed");
    expect(holdsValue(other.heard[0]?.rawHeaders)).toBe(false);
    expect(JSON.stringify(other.heard[0]?.rawHeaders)).not.toContain("secret:");
  });

  it("that a host writes into its redirect is told to nobody, and is in no record", async () => {
    const other = await web((_, response) => response.end("there"));
    const own = await web((_, response) => {
      redirect(response, `http://127.0.0.1:${other.port}/?stolen=${encodeURIComponent(VALUE)}`);
    });
    const { fetch, runtime } = await withSecret(own.port, other.port);
    const reply = await fetch(`http://127.0.0.1:${own.port}/`, USING);
    expect(holdsValue([other.requests, reply, await recordsOf(runtime.reader)])).toBe(false);
  });

  it("is sent in clear to this machine alone", async () => {
    const { fetch, runtime } = await startFetching(
      { allow: { fetch: ["forge.test:80"] } },
      { lookUp: async () => ["1.1.1.1"] },
    );
    await runtime.secrets.add({ name: "forge", host: "forge.test", port: 80, value: VALUE }, BY);
    expect((await fetch("http://forge.test/", USING)).error).toMatchObject({ code: "FEMTO_FACTS_FAILED" });
  });

  // Each of the addresses may be dialled, so one that is another machine's is enough.
  it.each([[["127.0.0.1", "1.1.1.1"]], [["::1", "10.0.0.1"]], [["10.0.0.1", "127.0.0.1"]]])(
    "is not sent in clear to a name that leads to this machine and to another one: %s",
    async (addresses) => {
      const { port, requests } = await web((_, response) => response.end());
      const { fetch, runtime } = await startFetching(
        { allow: { fetch: [`forge.test:${port}`] } },
        { lookUp: async () => addresses },
      );
      await runtime.secrets.add({ name: "forge", host: "forge.test", port, value: VALUE }, BY);
      expect((await fetch(`http://forge.test:${port}/`, USING)).error).toMatchObject({ code: "FEMTO_FACTS_FAILED" });
      expect(requests).toEqual([]);
    },
  );

  it("of several in one request is taken out as a whole, also where it begins like another one", async () => {
    const { port } = await web(({ headers }, response) => response.end(`you said ${String(headers["x-both"])}`));
    const { fetch, runtime } = await withSecret(port);
    await runtime.secrets.add({ name: "longer", host: "127.0.0.1", port, value: `${VALUE}-and-more` }, BY);
    const reply = await fetch(`http://127.0.0.1:${port}/`, { headers: { "X-Both": "secret://forge,secret://longer" } });
    expect(reply.result?.["body"]).toBe("you said [secret forge],[secret longer]");
  });

  it("is found under its very name alone", async () => {
    const { port, requests } = await web((_, response) => response.end());
    const { fetch } = await withSecret(port);
    const references = [
      "secret://",
      "secret://FORGE",
      "secret://../forge",
      "secret://forge secret://",
      "secret://no-such",
    ];
    for (const reference of references) {
      const { error } = await fetch(`http://127.0.0.1:${port}/`, { headers: { Authorization: reference } });
      expect(error, reference).toMatchObject({ code: "FEMTO_FACTS_FAILED" });
    }
    expect(requests).toEqual([]);
  });

  it("is gone once it was removed, and the record says so", async () => {
    const { port, requests } = await web((_, response) => response.end());
    const { fetch, runtime, home } = await withSecret(port);
    await runtime.secrets.remove("forge", BY);
    expect((await fetch(`http://127.0.0.1:${port}/`, USING)).error).toMatchObject({ code: "FEMTO_FACTS_FAILED" });
    expect(requests).toEqual([]);
    expect(readFileSync(join(home.state, "secrets.json"), "utf8")).toBe("[]\n");
    expect(ofType(await recordsOf(runtime.reader), "secret.removed")).toHaveLength(1);
    await expect(runtime.secrets.remove("forge", BY)).rejects.toMatchObject({ code: "FEMTO_SECRET_NOT_FOUND" });
  });

  it("is no short one, no two lines, no other characters, and has a name of its own", async () => {
    const { runtime } = await withSecret(1);
    const changed = [
      { value: "hunter2" },
      { value: "forge-pat\r\nHost: evil" },
      { value: "forge-p\u00e4t-7731" },
      { name: "Forge" },
      { host: "Example.com" },
      { host: "127.1" },
      { host: "" },
      { port: 0 },
      { port: 1.5 },
      { port: 65_536 },
      { name: "forge" },
    ];
    for (const changes of changed) {
      const secret = { name: "other", host: "127.0.0.1", port: 1, value: VALUE, ...changes };
      await expect(runtime.secrets.add(secret, BY)).rejects.toMatchObject({ code: "FEMTO_SECRET_INVALID" });
    }
    expect(runtime.secrets.list).toEqual([{ name: "forge", host: "127.0.0.1", port: 1 }]);
  });
});

describe("the file of secrets", () => {
  it("is this user's alone, and no call reads it", async () => {
    const { port } = await web((_, response) => response.end());
    const home = (await withSecret(port)).home;
    expect(statSync(join(home.state, "secrets.json")).mode & 0o777).toBe(0o600);
    const { runtime, home: other } = await startFetching({ capabilities: { fs_read: true }, allow: { read: ["/"] } });
    const session = runtime.openSession({ channel: "agent" });
    await runtime.secrets.add({ name: "forge", host: "127.0.0.1", port, value: VALUE }, BY);
    const path = join(other.state, "secrets.json");
    const denied = await session.propose(call("fs_read", { path }));
    expect(denied.policy?.rules).toEqual(["floor/own-files"]);
  });

  it.each<[string, (path: string) => void]>([
    ["that others can read", (path) => chmodSync(path, 0o644)],
    ["that has a second name", (path) => linkSync(path, `${path}.other`)],
    ["that is no list", (path) => writeFileSync(path, `{"${VALUE}":`)],
    [
      "with a host that is a number",
      (path) => writeFileSync(path, '[{"name":"forge","host":1,"port":"x","value":"long-enough"}]'),
    ],
  ])("%s gives no secret, and is quoted by nobody", async (_what, spoil) => {
    const { port, requests } = await web((_, response) => response.end());
    const { home, runtime } = await withSecret(port);
    await runtime.close({ drainMs: 0 });
    spoil(join(home.state, "secrets.json"));
    const again = await home.start({
      configuration: { capabilities: { net_fetch: true }, allow: { fetch: [`127.0.0.1:${port}`] } },
    });
    const session = again.openSession({ channel: "agent" });
    const reply = await session.propose(call("net_fetch", { url: `http://127.0.0.1:${port}/`, ...USING }));
    await again.close({ drainMs: 0 });
    expect(reply.error).toMatchObject({ code: "FEMTO_FACTS_FAILED" });
    expect(holdsValue(reply)).toBe(false);
    expect(requests).toEqual([]);
  });
});
