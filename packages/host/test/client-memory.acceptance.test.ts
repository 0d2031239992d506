/** Clients remember the log of a real host, and a log that was rolled back, forked or replaced is told of without any set-up. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyState } from "@femtoclaw/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Host, Playground } from "./playground.ts";

let place: Playground;
beforeEach(() => {
  place = new Playground();
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

const READ = ["call", "fs_read", '{"path":"notes.txt"}'];
const ROLLED_BACK = { code: 1, stderr: expect.stringContaining("FEMTO_LOG_ROLLED_BACK") };

async function stop(host: Host): Promise<void> {
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
}

async function calls(count: number): Promise<void> {
  for (let call = 0; call < count; call += 1) expect((await place.run(READ)).code).toBe(0);
}

function putBack(copy: string): void {
  rmSync(place.state, { recursive: true });
  copyState(join(place.root, copy), place.state);
}

const copy = (name: string): void => copyState(place.state, join(place.root, name));
const knownLogs = (): string => join(place.environment["HOME"] ?? "", ".local/state/femtoclaw/known-logs");

test("an older copy of the state directory is told of by every client, until its owner says that it is meant", async () => {
  const first = await place.up();
  await calls(1);
  await place.propose("fs_read", { path: "notes.txt" });
  await stop(first);
  copy("older");
  const second = await place.up();
  await calls(2);
  await place.propose("fs_read", { path: "notes.txt" });
  await stop(second);
  expect((await place.run(["audit", "verify"])).code).toBe(0);

  putBack("older");
  const verdict = await place.json<{ verdict: string }>(["audit", "verify"]);
  expect(verdict).toMatchObject({ code: 1, value: { verdict: "tampered" } });
  expect((await place.run(["doctor"])).code).toBe(1);
  const rolledBack = await place.up();
  await expect.poll(() => rolledBack.log()).toContain("log.differs");
  // The host has written on; neither command line nor library takes it, on either socket.
  const told = await place.run(READ);
  expect(told).toMatchObject(ROLLED_BACK);
  expect(told.stderr).toMatch(/it was seen with \d+ records[\s\S]*femtoclaw audit forget/);
  expect(await place.run(["capabilities", "list"])).toMatchObject(ROLLED_BACK);
  await expect(place.agent()).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
  const status = await place.json<{ remembered: { fits: boolean; code: string } }>(["status"]);
  expect(status).toMatchObject({ code: 1, value: { remembered: { fits: false, code: "FEMTO_LOG_ROLLED_BACK" } } });
  const findings = await place.json<{ check: string; verdict: string }[]>(["doctor"]);
  expect(findings.value).toContainEqual(expect.objectContaining({ check: "remembered", verdict: "fail" }));
  expect((await place.json<{ verdict: string }>(["audit", "verify"])).code).toBe(1);

  // Time and records do not heal it.
  expect(await place.run(READ)).toMatchObject(ROLLED_BACK);
  const { value } = await place.json<{ forgotten: string[] }>(["audit", "forget"]);
  expect(value.forgotten).toEqual([place.state, place.runtime]);
  await calls(1);
  expect((await place.json<{ remembered: { fits: boolean } }>(["status"])).value.remembered.fits).toBe(true);
  const down = await place.run(["down"]);
  expect(down.code).toBe(0);
  expect((await place.run(["audit", "verify"])).code).toBe(0);
});

test("a log that its keeper let go on twice from one point is told of as a fork", async () => {
  await stop(await place.up());
  copy("base");
  const seen = await place.up();
  await calls(1);
  await stop(seen);
  await place.rollBack(join(place.root, "base"));
  const forked = await place.up();
  await Promise.all(Array.from({ length: 4 }, () => place.propose("fs_read", { path: "notes.txt" })));
  const told = await place.run(READ);
  expect(told).toMatchObject(ROLLED_BACK);
  expect(told.stderr).toContain("do not begin with those that were seen");
  // A host with a wrong log can still be ended, so that the right one can be put back.
  const down = await place.run(["down"]);
  expect(down).toMatchObject({ code: 0, stderr: expect.stringContaining("is not what was seen there") });
  await forked.ended;
});

test("another log in the same place is told of, also when its state directory is new", async () => {
  const first = await place.up();
  await place.propose("fs_read", { path: "notes.txt" });
  await stop(first);
  rmSync(place.state, { recursive: true });
  await place.up();
  for (const args of [READ, ["executions", "list"]]) {
    expect(await place.run(args)).toMatchObject({ code: 1, stderr: expect.stringContaining("it is another log") });
  }
  await expect(place.agent()).rejects.toMatchObject({ code: "FEMTO_LOG_ROLLED_BACK" });
});

test("changes of the key between two connections are followed, one and two of them", async () => {
  const host = await place.up();
  await place.propose("fs_read", { path: "notes.txt" });
  for (const rotations of [1, 2]) {
    // The library's client does not see these.
    for (let count = 0; count < rotations; count += 1) expect((await place.run(["keys", "rotate"])).code).toBe(0);
    await place.propose("fs_read", { path: "notes.txt" });
    await calls(1);
  }
  await stop(host);
  expect((await place.json<{ pinned: string }>(["audit", "verify"])).value.pinned).toBe("matches");
});

test("many clients at once remember the newest that any of them saw, in one file for each place", async () => {
  const host = await place.up();
  const runs = await Promise.all(Array.from({ length: 6 }, () => place.run(READ)));
  expect(runs.map(({ code }) => code)).toEqual(runs.map(() => 0));
  await Promise.all(Array.from({ length: 20 }, () => place.propose("fs_read", { path: "notes.txt" })));
  const folders = readdirSync(knownLogs());
  expect(folders).toHaveLength(2);
  for (const folder of folders) expect(readdirSync(join(knownLogs(), folder))).toHaveLength(1);
  await calls(1);
  await stop(host);
});

test("a memory that cannot be written is told of, and the command goes on", async () => {
  mkdirSync(join(knownLogs(), ".."), { recursive: true, mode: 0o700 });
  writeFileSync(knownLogs(), "");
  const host = await place.up();
  const warned = await place.run(READ);
  expect(warned).toMatchObject({ code: 0, stderr: expect.stringContaining("the log cannot be remembered") });
  expect(await place.run(["--quiet", ...READ])).toMatchObject({ code: 0, stderr: "" });
  await stop(host);
});

test("a memory that was tampered with is refused with its path", async () => {
  const host = await place.up();
  await calls(1);
  const [folder = ""] = readdirSync(knownLogs());
  const [name = ""] = readdirSync(join(knownLogs(), folder));
  const file = join(knownLogs(), folder, name);
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/(.{6})(\\n",)/, "AAAAAA$2"));
  const refused = await place.run(READ);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("FEMTO_KNOWN_LOG_DAMAGED") });
  expect(refused.stderr).toContain(file);
  expect((await place.run(["audit", "verify"])).stderr).toContain("FEMTO_KNOWN_LOG_DAMAGED");
  writeFileSync(file, text);
  await calls(1);
  await stop(host);
});
