/** What the executable reaches over the network, by clients that it reads only then and with no compiler of schemas. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { HttpUpstream, plainAnswer } from "../../../mcp/test/gateway/gateway-place.ts";
import { CONFIGURATION, Playground } from "../playground.ts";
import { type Built, build, makeKey } from "./build.ts";

const root = realpathSync(mkdtempSync("/tmp/fb-"));
let built: Built;
beforeAll(async () => {
  built = await build(join(root, "a"), await makeKey(root, "release.key"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A project of the executable, with no program on the path and a host that runs. */
async function hosted(configuration: string): Promise<Playground> {
  const place = new Playground(configuration, [built.program]);
  place.environment["PATH"] = "/nonexistent";
  expect(await place.run(["up", "--detach"])).toMatchObject({ code: 0 });
  return place;
}

test("it fetches a page", async () => {
  await using page = createServer((_request, response) => response.end("from the page"));
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(page.address() as AddressInfo).port}`;
  const fetches = CONFIGURATION.replace("[allow]", `net_fetch = true\n[allow]\nfetch = ["${host}"]`);
  await using place = await hosted(fetches);
  await using _host = { [Symbol.asyncDispose]: async () => void (await place.run(["down"])) };
  const fetched = await place.call("net_fetch", { url: `http://${host}/` });
  expect(fetched).toMatchObject({ code: 0, value: { status: "completed", result: { body: "from the page" } } });
});

test("it stands in front of an MCP server", async () => {
  const greet = { name: "greet", inputSchema: { type: "object", properties: { who: { type: "string" } } } };
  const answer = plainAnswer(greet, () => ({ content: [{ type: "text", text: "hello" }] }));
  await using server = await HttpUpstream.raw(answer);
  const tables = `[mcp.servers.web]\nurl = "${server.url}"\n[allow.tools]\n"web__*" = ["*"]\n`;
  await using place = await hosted(`${CONFIGURATION}${tables}`);
  await using _host = { [Symbol.asyncDispose]: async () => void (await place.run(["down"])) };
  const accepted = await place.run(["mcp", "pins", "accept", "web", "--yes"]);
  expect(accepted).toMatchObject({ code: 0 });
  const greeted = await place.call("web__greet", { who: "you" });
  expect(greeted).toMatchObject({ code: 0, value: { status: "completed", result: { content: [{ text: "hello" }] } } });
});
