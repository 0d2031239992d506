/** Witnesses from the configuration to the verdict: a host, its witnesses, and a state directory that is rolled back. */
import { once } from "node:events";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyState } from "@femtoclaw/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CONFIGURATION, Playground } from "../playground.ts";

let place: Playground;

beforeEach(() => {
  place = new Playground();
});

afterEach(async () => {
  await place[Symbol.asyncDispose]();
});

interface Verdict {
  readonly verdict: string;
  readonly size: number;
  readonly witnessedSize: number | null;
  readonly caveats: readonly string[];
  readonly witnessFaults: readonly string[];
  readonly fault: { readonly seq: number; readonly reason: string } | null;
}

interface Status {
  readonly name: string;
  readonly kind: string;
  readonly required: boolean;
  readonly witnessed_size: number;
  readonly error: string | null;
}

const FILE = '[[audit.witness]]\nkind = "file"\nname = "disk"\npath = "../elsewhere/log.jsonl"\n';

function configure(...parts: readonly string[]): string {
  place.folder("elsewhere");
  place.configure([CONFIGURATION, ...parts].join("\n"));
  return join(place.root, "elsewhere/log.jsonl");
}

async function runOnce(calls: number): Promise<void> {
  const host = await place.up();
  for (let count = 0; count < calls; count += 1) await place.propose("fs_read", { path: "notes.txt" });
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
}

const verify = (...args: string[]) => place.json<Verdict>(["audit", "verify", ...args]);
const witnesses = async (): Promise<readonly Status[]> => (await place.json<Status[]>(["audit", "witness"])).value;

test("a file elsewhere holds the last checkpoint of each run, and a log that was rolled back is found out", async () => {
  const file = configure(FILE);
  await runOnce(2);
  copyState(place.state, join(place.root, "backup"));
  await runOnce(3);
  const { code, value } = await verify();
  expect({ code, ...value }).toMatchObject({ code: 0, verdict: "verified", caveats: [], witnessFaults: [] });
  expect(value.witnessedSize).toBe(value.size);
  expect((await place.run(["audit", "verify"])).stdout).toContain(`witnessed  ${value.size} records`);
  expect(await witnesses()).toEqual([
    { name: "disk", kind: "file", required: false, witnessed_size: value.size, error: null },
  ]);
  // The auditor's own copy of the file serves as well, and needs no configuration.
  expect((await verify(place.state, "--witness", file)).value.witnessedSize).toBe(value.size);

  await place.rollBack(join(place.root, "backup"));
  const rolledBack = await verify();
  expect(rolledBack).toMatchObject({ code: 1, value: { verdict: "tampered" } });
  expect(rolledBack.value.fault?.reason).toMatch(
    /in the file of the witness disk vouches for \d+ records, and the log holds/,
  );
  expect(rolledBack.value.fault?.seq).toBe(rolledBack.value.size);
  const host = await place.up();
  await expect.poll(host.log).toContain("the log was rolled back");
  // Nobody required the witness, so work goes on once the owner says that this log is meant, and everybody is told.
  expect((await place.run(["audit", "forget"])).code).toBe(0);
  expect((await place.propose("fs_read", { path: "notes.txt" })).status).toBe("completed");
  expect((await place.run(["status"])).stdout).toContain("the log was rolled back");
});

test("a witness file that is cut or lost is told of, and is no fault of the log", async () => {
  const file = configure(FILE);
  await runOnce(1);
  // A line that a crash cut off is told of, and takes nothing from the others.
  writeFileSync(file, `{"checkpoint":"femto\n${readFileSync(file, "utf8")}`);
  expect(await verify()).toMatchObject({ code: 0, value: { witnessNotes: [expect.stringContaining("line 1")] } });
  const whole = readFileSync(file, "utf8");
  await runOnce(1);
  writeFileSync(file, whole);
  const cut = await verify();
  expect(cut).toMatchObject({ code: 3, value: { verdict: "verified" } });
  expect(cut.value.witnessFaults).toEqual([expect.stringContaining("it was cut")]);
  rmSync(file);
  const lost = await verify();
  expect(lost).toMatchObject({ code: 3, value: { verdict: "verified", witnessedSize: null } });
  expect(lost.value.witnessFaults).toEqual([expect.stringContaining("cannot be read")]);
  const host = await place.up();
  await expect.poll(host.log).toContain("its file is gone");
  expect(existsSync(file)).toBe(false);
  expect((await verify(place.state, "--witness", join(place.root, "nowhere"))).code).toBe(64);
});

test("with a required witness nothing is taken before it answers, and everything once it does", async () => {
  const gate = join(place.root, "open");
  const command = `[[audit.witness]]\nkind = "command"\nname = "gate"\ncommand = ["/bin/sh", "-c", 'test -e "$1" || { echo shut >&2; exit 1; }', "sh", "${gate}"]\n`;
  configure("[audit]\nrequire = true", command);
  const host = await place.up();
  const refused = await place.call("fs_read", { path: "notes.txt" });
  expect(refused.code).toBe(69);
  expect(refused.value).toMatchObject({
    status: "error",
    decision: null,
    record: null,
    error: { error_type: "SystemError", code: "FEMTO_UNWITNESSED", reason: expect.stringContaining("shut") },
  });
  expect(await witnesses()).toMatchObject([{ name: "gate", required: true, witnessed_size: 0 }]);
  writeFileSync(gate, "");
  await expect.poll(async () => (await place.propose("fs_read", { path: "notes.txt" })).status).toBe("completed");
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
  // One call in a process of its own waits for the witness, too.
  expect((await place.run(["call", "fs_read", '{"path":"notes.txt"}', "--embedded"])).code).toBe(0);
  rmSync(gate);
  expect((await place.run(["call", "fs_read", '{"path":"notes.txt"}', "--embedded"])).code).toBe(69);
});

test("a witness on the network cosigns, its word is kept, and it knows a log that was rolled back", async () => {
  configure();
  await runOnce(1);
  const { value: keys } = await place.json<{ vkey: string; origin: string }>(["keys", "show"]);
  const args = ["--json", "audit", "witness", "serve", "--dir", join(place.root, "w"), "--listen", "127.0.0.1:0"];
  const child = place.spawn([...args, "--log", keys.vkey]);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ready = JSON.parse(line.toString()) as { url: string; vkey: string; logs: string[] };
  expect(ready.logs).toEqual([keys.origin]);
  configure(`[[audit.witness]]\nkind = "http"\nname = "network"\nurl = "${ready.url}"\nvkey = "${ready.vkey}"\n`);
  copyState(place.state, join(place.root, "backup"));
  await runOnce(2);
  const { code, value } = await verify();
  expect({ code, size: value.witnessedSize }).toEqual({ code: 0, size: value.size });
  // What it cosigned lies beside the log: both can be rolled back together, and that is said.
  expect(value.caveats).toEqual([expect.stringContaining("looks like one that never grew")]);

  const kept = join(place.state, "witnessed/network.checkpoint");
  const note = readFileSync(kept, "utf8");
  writeFileSync(kept, note.replace(/\u2014 femtoclaw\.local\/witness\S* \S+\n/, ""));
  expect((await verify()).value.witnessFaults).toEqual([expect.stringContaining("is not signed by its key")]);

  await place.rollBack(join(place.root, "backup"));
  const host = await place.up();
  await expect.poll(host.log).toContain("the log was rolled back");
  child.kill("SIGTERM");
  await once(child, "close");
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
});

test("a journal that is rolled back alone contradicts what is kept beside it", async () => {
  const file = configure(FILE);
  await runOnce(1);
  copyState(place.state, join(place.root, "backup"));
  await runOnce(2);
  cpSync(join(place.state, "witnessed"), join(place.root, "backup", "witnessed"), { recursive: true });
  await place.rollBack(join(place.root, "backup"));
  rmSync(file);
  // What this user has seen of the log says so as well; here the witness alone has to.
  await place.run(["audit", "forget"]);
  const { code, value } = await verify(place.state);
  expect({ code, verdict: value.verdict }).toEqual({ code: 1, verdict: "tampered" });
  expect(value.fault?.reason).toContain("the checkpoint that the witness disk took");
  const host = await place.up();
  expect(host.log()).toContain("records before, and the log holds");
  expect(await witnesses()).toMatchObject([{ name: "disk", error: expect.stringContaining("audit verify") }]);
});

test("whoever is asked to trust a configuration is told of its witnesses, and that a command is in no sandbox", async () => {
  configure('[[audit.witness]]\nkind = "command"\nname = "a"\ncommand = ["/bin/true", "x\\u001b[2J"]', FILE);
  const { stdout } = await place.run(["trust", place.project]);
  expect(stdout).toContain("checkpoints go to:");
  expect(stdout).toMatch(/the command \/bin\/true x\S+, which runs outside every sandbox/);
  expect(stdout).toContain(`the file ${join(place.root, "elsewhere/log.jsonl")}`);
  expect(stdout).not.toContain("\u001b");
});

test("serving is refused to others than this machine, without a log, and in a log's own folder", async () => {
  await runOnce(1);
  const { value } = await place.json<{ vkey: string }>(["keys", "show"]);
  const serve = (...args: string[]) => place.run(["audit", "witness", "serve", ...args]);
  const folder = join(place.root, "w");
  expect(await serve("--dir", folder)).toMatchObject({ code: 64 });
  expect(await serve("--dir", folder, "--log", "x")).toMatchObject({ code: 64 });
  for (const address of ["0.0.0.0:1", "127.0.0.1", "127.0.0.1:99999", "example.org:80"]) {
    expect(await serve("--dir", folder, "--listen", address, "--log", value.vkey)).toMatchObject({ code: 64 });
  }
  const own = await serve("--dir", place.state, "--listen", "127.0.0.1:0", "--log", value.vkey);
  expect(own).toMatchObject({ code: 64, stderr: expect.stringContaining("is the state directory of a log") });
});
