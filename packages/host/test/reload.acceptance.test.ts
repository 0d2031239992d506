/** An operator changes the policy of a running host, by command and by signal, rightly and wrongly. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Deployment, Reply } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { Playground } from "./playground.ts";

const configuration = (tables: string): string => `
workspace = "."
[capabilities]
fs_read = true
process_exec = true
${tables}
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

const OPEN = configuration('[allow]\nread = ["."]\nrun = { cat = ["*"] }');
const CLOSED = configuration('[allow]\nread = ["."]\nrun = { cat = ["*"] }\n[deny]\nread = ["notes.txt"]');

const read = (place: Playground) => place.propose("fs_read", { path: "notes.txt" });
const cat = (place: Playground) => place.propose("process_exec", { bin: "cat", argv: ["notes.txt"] });
const stdout = ({ result }: Reply) => result?.["stdout"];
const deployment = async (place: Playground) =>
  (await place.json<{ deployment: Deployment }>(["status"])).value.deployment;

test("a change takes effect when it is reloaded, for calls and for what children see", async () => {
  await using place = new Playground(OPEN);
  const host = await place.up();
  expect((await read(place)).status).toBe("completed");
  expect(stdout(await cat(place))).toBe("some notes\n");
  const before = await deployment(place);
  place.configure(CLOSED);
  // A file that changes by itself changes nothing.
  expect((await read(place)).status).toBe("completed");
  const { code, value } = await place.json<{ changed: boolean; revision: string }>(["reload"]);
  expect({ code, changed: value.changed }).toEqual({ code: 0, changed: true });
  expect((await read(place)).error?.code).toBe("FEMTO_POLICY_FORBIDDEN");
  expect(stdout(await cat(place))).toBe("");
  expect((await place.run(["reload"])).stdout).toContain("nothing changed");
  // What is deployed is another configuration by now, and else the same.
  const { digest, configuration, ...same } = await deployment(place);
  expect(before).toMatchObject(same);
  expect([before.digest === digest, before.configuration === configuration]).toEqual([false, false]);

  place.configure(OPEN);
  host.kill("SIGHUP");
  await expect.poll(async () => (await read(place)).status).toBe("completed");
  expect(stdout(await cat(place))).toBe("some notes\n");
  await place.down();
  expect((await place.run(["replay", "--recompute"])).code).toBe(0);
});

test("a signal that comes before the host is ready takes effect once it is", async () => {
  await using place = new Playground(OPEN);
  const child = place.spawn(["--json", "up"]);
  // The first line tells that the configuration was read and that signals are heard, long before the host is ready.
  const [first] = (await once(child.stderr, "data")) as [Buffer];
  expect(String(first)).toContain("lifecycle.changed");
  place.configure(CLOSED);
  child.kill("SIGHUP");
  await once(child.stdout, "data");
  await expect.poll(async () => (await read(place)).error?.code).toBe("FEMTO_POLICY_FORBIDDEN");
  expect((await place.run(["reload"])).stdout).toContain("nothing changed");
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([0, null]);
});

test("a bad candidate is told of, recorded, and changes nothing", async () => {
  await using place = new Playground(OPEN);
  const host = await place.up();
  place.configure(configuration('[allow]\nread = ["."]\nrun = { sh = ["*"] }'));
  const refused = await place.run(["reload"]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toMatch(/FEMTO_POLICY_INVALID.*femtoclaw\.toml:\d+:\d+/s);
  place.configure("this is no TOML");
  host.kill("SIGHUP");
  await expect.poll(() => host.log()).toContain("policy.rejected");
  expect((await read(place)).status).toBe("completed");
  place.configure(`${CLOSED}\n[limits]\nconcurrency = 2\n`);
  const more = await place.run(["reload"]);
  expect([more.code, more.stderr]).toEqual([78, expect.stringContaining("limits")]);
  place.configure(OPEN);
  expect((await place.run(["audit", "export", "--format", "jsonl", "--out", `${place.root}/out`])).code).toBe(0);
  const exported = readFileSync(`${place.root}/out`, "utf8");
  expect(exported.match(/"type":"policy.rejected"/g)).toHaveLength(3);
});
