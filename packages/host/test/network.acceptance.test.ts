/** Requests and stored secrets from the command line of a real host, over its refusals, a kill and its exports. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { ExecutionView } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONFIGURATION, Playground } from "./playground.ts";

const VALUE = "forge-pat-7731-x";
let server: Server;
let port: number;
const heard: string[] = [];

beforeAll(async () => {
  server = createServer(({ url, headers }, response) => {
    heard.push(`${url} ${headers.authorization ?? ""}`);
    // Of an answer that never ends, the beginning arrives.
    if (url === "/slow") response.write("…");
    else response.end(`you said ${headers.authorization ?? "nothing"}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const withFetch = CONFIGURATION.replace("fs_read = true", "fs_read = true\nnet_fetch = true");

test("a refused host is explained, allowed by the narrowest entry, and reached with a secret that nothing shows", async () => {
  await using place = new Playground(withFetch);
  await place.run(["trust"]);
  await place.up();
  const url = `http://127.0.0.1:${port}/first`;
  const refused = await place.call("net_fetch", { url });
  expect(refused).toMatchObject({ code: 77, value: { policy: { rules: ["floor/private-address"] } } });
  const ref = String(refused.value.record?.seq);
  expect((await place.run(["policy", "why", ref])).stdout).toContain(`127.0.0.1:${port}`);
  // Services of this machine trust whoever reaches them, so that a word of its own is asked for.
  expect((await place.run(["policy", "allow", ref, "--yes"])).code).toBe(64);
  const allowed = await place.run(["policy", "allow", ref, "--yes", "--unsafe"]);
  expect(allowed.stdout).toContain(`[allow] fetch = ["127.0.0.1:${port}"]`);
  expect((await place.run(["reload"])).code).toBe(0);
  expect((await place.call("net_fetch", { url })).value.result).toMatchObject({
    status: 200,
    body: "you said nothing",
  });

  const stored = await place.run(["secrets", "add", "forge", "--for", `127.0.0.1:${port}`], { input: `${VALUE}\n` });
  expect(stored).toMatchObject({ code: 0, stdout: expect.stringContaining("secret://forge") });
  const from = ["--", "sh", "-c", "echo printed-by-a-program"];
  expect((await place.run(["secrets", "add", "other", "--for", "api.example.com", ...from])).code).toBe(0);
  expect((await place.run(["secrets", "list"])).stdout).toBe(`forge  127.0.0.1:${port}\nother  api.example.com:443\n`);
  expect((await place.run(["secrets", "remove", "other"])).code).toBe(0);
  expect((await place.run(["secrets", "add", "wide", "--for", "*.example.com"], { input: VALUE })).code).toBe(65);
  const headers = { Authorization: "Bearer secret://forge" };
  const shown = [await place.run(["call", "net_fetch", JSON.stringify({ url, headers })])];
  expect(shown[0]?.stdout).toContain("you said Bearer [secret forge]");
  expect(heard.at(-1)).toBe(`/first Bearer ${VALUE}`);

  const [newest] = await place.executions();
  shown.push(await place.run(["--json", "executions", "show", newest?.execution_id ?? ""]));
  shown.push(
    await place.run(["audit", "export", "--format", "jsonl", "--out", join(place.root, "jsonl"), "--with-values"]),
  );
  await place.down();
  expect(JSON.stringify(shown)).not.toContain(VALUE);
  // The one file that holds it is out of every sandbox and every export.
  expect(filesWith(place.root, VALUE)).toEqual([join(place.state, "secrets.json")]);
  expect(statSync(join(place.state, "secrets.json")).mode & 0o777).toBe(0o600);
});

test("a host that is killed while it fetches calls the request interrupted, and does not send it again", async () => {
  await using place = new Playground(withFetch.replace("[deny]", `fetch = ["127.0.0.1:${port}"]\n[deny]`));
  const host = await place.up();
  const lost = Promise.allSettled([place.propose("net_fetch", { url: `http://127.0.0.1:${port}/slow` })]);
  const sent = (): number => heard.filter((line) => line.startsWith("/slow")).length;
  await expect.poll(sent).toBe(1);
  host.kill("SIGKILL");
  await host.ended;
  await lost;
  await place.up();
  const { value } = await place.json<ExecutionView[]>(["executions", "list", "--state", "interrupted"]);
  expect(value).toMatchObject([{ tool: "net_fetch", status: "interrupted" }]);
  await using operator = await place.operator();
  expect(await operator.secrets()).toEqual([]);
  expect(sent()).toBe(1);
  await place.down();
});

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesWith(path, text);
    return entry.isFile() && entry.name !== "reserve" && readFileSync(path).includes(text) ? [path] : [];
  });
}
