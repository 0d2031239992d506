/** Attacks on a running inspector: by other pages in the same browser, by a reader that stops, by calls that flood. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Frame } from "@femtoclaw/inspector";
import { expect, test } from "vitest";
import { hasBrowser, openBrowser, watchedPage } from "./browser.ts";
import { InspectedWorld } from "./inspected-world.ts";

/** What a page gets of an address, in each way that it can ask. */
const STEAL = `async (origin) => {
  const tried = {};
  const attempt = async (name, make) => {
    try { tried[name] = await make(); } catch { tried[name] = "nothing"; }
  };
  for (const path of ["/v1/begin", "/v1/records?from=0", "/"]) {
    await attempt("read " + path, async () => (await fetch(origin + path)).status);
    await attempt("blind " + path, async () => (await (await fetch(origin + path, { mode: "no-cors", credentials: "include" })).text()).length);
  }
  await attempt("answer", async () => (await fetch(origin + "/v1/answers", { method: "POST", body: "{}" })).status);
  await attempt("frame", async () => {
    const frame = document.createElement("iframe");
    frame.src = origin + "/";
    document.body.append(frame);
    await new Promise((resolve) => setTimeout(resolve, 500));
    return frame.contentDocument?.body?.innerText ?? "nothing";
  });
  return tried;
}`;

test.skipIf(!hasBrowser)("another page in the same browser gets nothing, under whatever name it asks", async () => {
  await using world = new InspectedWorld();
  await world.up();
  const shown = await world.inspect("--approve");
  const browser = await openBrowser();
  const evil = createServer((_, response) => response.end("<!doctype html><title>evil</title>")).listen(0, "127.0.0.1");
  await once(evil, "listening");
  try {
    const ours = await watchedPage(browser, shown.origin);
    await ours.page.goto(shown.url);
    await ours.page.waitForSelector(".light.following");
    // In the very browser that has the session.
    const page = await ours.page.context().newPage();
    for (const name of ["127.0.0.1", "evil.test"]) {
      await page.goto(`http://${name}:${(evil.address() as AddressInfo).port}/`);
      const tried = (await page.evaluate(`(${STEAL})(${JSON.stringify(shown.origin)})`)) as Record<string, unknown>;
      for (const [way, got] of Object.entries(tried)) expect(["nothing", 0, ""], `${name} ${way}`).toContain(got);
    }
    const rebound = await page.goto(shown.url.replace("127.0.0.1", "evil.test"));
    expect(rebound?.status()).toBe(421);
    await page.goto(shown.url);
    await page.waitForSelector("text=This address opens once");
    expect(ours.faults).toEqual([]);
  } finally {
    await browser.close();
    evil.close();
  }
});

test("frames begin with the state, go on where a reader stopped, and wait for one that is slow", async () => {
  await using world = new InspectedWorld();
  await world.up();
  await world.live();
  const { folder, records } = await world.exported();
  using agent = await world.socket("agent");
  for (const verb of ["log.records", "log.summary"]) {
    expect(await agent.ask({ id: 1, verb, from: 0 })).toMatchObject({ error: { code: "FEMTO_VERB_UNKNOWN" } });
  }
  using operator = await world.socket("operator");
  for (const from of [-1, 0.5, "0", null]) {
    expect(await operator.ask({ id: 1, verb: "log.records", from })).toMatchObject({ ok: false });
    const wait = { id: 1, verb: "log.records", from: 0, wait_ms: from };
    expect(await operator.ask(wait)).toMatchObject({ ok: false });
  }
  expect(await operator.ask({ id: 1, verb: "log.records", from: 0, wait_ms: 10_001 })).toMatchObject({ ok: false });
  const whole = await world.run(["inspect", folder, "--frames"]);
  // Nobody vouches for a folder of which no key is known.
  expect(whole.code).toBe(3);
  const [summary, ...frames] = linesOf(whole.stdout);
  expect(summary).toMatchObject({ type: "summary", size: 0, boots: 0, actors: [] });
  const half = Math.floor(records.length / 2);
  const [later, ...rest] = linesOf((await world.run(["inspect", folder, "--frames", "--from", String(half)])).stdout);
  expect(later).toMatchObject({ type: "summary", size: half });
  expect(rest).toEqual((frames as unknown as Frame[]).filter(({ seq }) => seq >= half));
  // Lines prove nothing, and say so; what they show is the same.
  const asLines = `${world.root}/log.jsonl`;
  await using exporter = await world.operator();
  await exporter.exportLog({ format: "jsonl", out: asLines, values: false });
  const unproved = await world.run(["inspect", asLines, "--frames"]);
  expect([unproved.code, unproved.stderr]).toEqual([3, expect.stringContaining("not verified: ")]);
  expect(linesOf(unproved.stdout)).toEqual([summary, ...frames]);

  const reader = world.spawn(["inspect", "--frames"]);
  let lines = "";
  await once(reader.stdout, "readable");
  // It reads no more, and the host has better things to do than to wait for it.
  const payload = "x".repeat(3_000);
  await using client = await world.agent();
  const send = () => client.propose(Buffer.from(JSON.stringify({ message: { content: payload } })));
  for (let round = 0; round < 40; round += 1) await Promise.all(Array.from({ length: 32 }, send));
  reader.stdout.on("data", (chunk) => {
    lines += String(chunk);
  });
  const last = (await world.exported()).records.findLast(({ type }) => type === "message.recorded");
  await expect.poll(() => lines.includes(`"seq":${last?.seq}}`)).toBe(true);
  await sleep(50);
  const ids = linesOf(lines.slice(0, lines.lastIndexOf("\n") + 1)).flatMap(({ id }) => id ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  const closed = once(reader, "close");
  reader.kill("SIGINT");
  expect(await closed).toEqual([0, null]);
  // A reader such as `head` goes away before the end, which is no fault.
  const left = world.spawn(["inspect", (await world.exported()).folder, "--frames"]);
  let said = "";
  left.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  await once(left.stdout, "readable");
  left.stdout.destroy();
  const [code] = (await once(left, "close")) as [number];
  expect([0, 3], said).toContain(code);
  expect(said).not.toContain("EPIPE");
});

const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
