/** Two state directories and one folder of sockets: what is asked about one is not answered by the host of the other. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Host, Playground } from "./playground.ts";

let place: Playground;
let host: Host;
/** A copy of the log of the host that runs, which continues in a log of its own. */
let other: string;

beforeAll(async () => {
  place = new Playground();
  host = await place.up();
  other = join(place.root, "other");
  const forked = await place.run(["fork", "5", "--out", other]);
  expect(forked).toMatchObject({ code: 0, stderr: expect.not.stringContaining("FEMTO_") });
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const beside = (...args: string[]) => place.run(["--state", other, "--json", ...args]);
const said = async (...args: string[]): Promise<unknown> => JSON.parse((await beside(...args)).stdout);

test("what is looked up in a state directory without a host is read there", async () => {
  const { origin } = (await said("keys", "show")) as { origin: string };
  expect(origin).not.toBe((await place.json<{ log: string }>(["status"])).value.log);
  expect(await said("audit", "verify")).toMatchObject({ verdict: "verified", fault: null });
  const file = join(place.folder("backups"), "one.backup");
  await beside("backup", "--out", file);
  expect(await said("restore", file, "--state", join(place.root, "restored"))).toMatchObject({ parent: { origin } });
});

test.each([
  ["status"],
  ["down"],
  ["halt", "5c4e1cda-a494-46cc-b90e-a6bd472e73c5"],
  ["keys", "rotate"],
  ["call", "fs_read", '{"path":"notes.txt"}'],
])("%s goes to no host of another state directory", async (...args) => {
  for (const state of [other, join(place.root, "never")]) {
    const asked = await place.run(["--state", state, ...args]);
    expect(asked.code).toBe(69);
    expect(asked.stderr).toContain(`no host of ${state} runs`);
    expect(asked.stderr).toContain(`add --state ${place.state}`);
  }
  expect((await place.run(["status"])).code).toBe(0);
  expect(existsSync(join(place.root, "never"))).toBe(false);
});

test("a second host does not start, and is told what to change", async () => {
  const second = await place.run(["--state", other, "up"]);
  expect(second).toMatchObject({ code: 69, stderr: expect.stringMatching(/FEMTO_HOST_RUNNING.*\n.*another folder/) });
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
});

test("a note of a host that was killed keeps nobody out, and a host is stopped without its state directory", async () => {
  const killed = await place.up();
  killed.kill("SIGKILL");
  await killed.ended;
  expect((await place.run(["--state", other, "up", "--detach"])).code).toBe(0);
  expect((await beside("status")).code).toBe(0);
  expect(await said("audit", "verify")).toMatchObject({ verdict: "verified" });
  // Without `--state`, what is asked is still not what the configuration's own log says; stopping reaches it, as ever.
  expect((await place.run(["call", "fs_read", '{"path":"notes.txt"}'])).code).toBe(69);
  expect((await place.run(["down"])).code).toBe(0);
});

test("whoever wants to stop a host where none runs is not told to start one", async () => {
  for (const args of [["down"], ["halt", "5c4e1cda-a494-46cc-b90e-a6bd472e73c5"]]) {
    const asked = await place.run(args);
    expect(asked).toMatchObject({ code: 69, stderr: expect.stringContaining("There is nothing to stop.") });
    expect(asked.stderr).not.toContain("up --detach");
  }
});
