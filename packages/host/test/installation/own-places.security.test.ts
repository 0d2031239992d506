/** A receipt that was edited, or copied with its folder, makes nobody remove, stop or exchange what lies elsewhere. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Receipt } from "../../src/installation/receipt.ts";
import { Playground } from "../playground.ts";
import { flagScript, newSigner, release } from "./stand-in.ts";

const signer = newSigner();
let place: Playground;
let prefix: string;
let flag: string;
/** What is nobody's but the operator's. */
let victim: string;

beforeEach(async () => {
  place = new Playground();
  prefix = join(place.root, "i");
  flag = join(place.root, "flag");
  victim = place.write("mine/thesis", "precious");
  const key = place.write("key.pub", signer.pem);
  const file = release(join(place.root, "r"), { version: "1.0.0", signer, script: flagScript(flag) });
  const { code, stderr } = await place.run(["install", file, "--key", key, "--prefix", prefix]);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
});
afterEach(() => place[Symbol.asyncDispose]());

const receiptIn = (folder: string): string => join(folder, "lib/femtoclaw/current/receipt.json");

function edit(change: (receipt: Receipt) => object): void {
  const receipt = JSON.parse(readFileSync(receiptIn(prefix), "utf8")) as Receipt;
  writeFileSync(receiptIn(prefix), JSON.stringify({ ...receipt, ...change(receipt) }));
}

const sha256 = (): string => createHash("sha256").update(readFileSync(victim)).digest("hex");
const file = (path: string) => ({ kind: "file", path, sha256: sha256() }) as const;

test.each<[what: string, change: (receipt: Receipt) => object, flags: readonly string[]]>([
  ["a file of somebody", ({ files }) => ({ files: [...files, file(victim)] }), []],
  ["a file that was changed", ({ files }) => ({ files: [...files, { ...file(victim), sha256: "" }] }), ["--changed"]],
  [
    "a way around",
    ({ files, unit }) => ({ files: [...files, file(`${prefix}/../mine/${"x/../".repeat(3)}thesis`)], unit }),
    [],
  ],
  ["another folder as its state", () => ({ state: join(place.root, "mine") }), ["--state"]],
  [
    "another folder as its data",
    () => ({ data: join(place.root, "mine"), state: join(place.root, "mine/state") }),
    ["--state"],
  ],
])("a receipt that lists %s takes nothing away", async (_what, change, flags) => {
  place.write("mine/run/agent", "mine as well");
  edit(change);
  const { code, stderr } = await place.run(["uninstall", "--prefix", prefix, ...flags]);
  expect([code, stderr]).toEqual([78, expect.stringMatching(/FEMTO_INSTALL_REFUSED: .*none of it\n {2}fix: /)]);
  expect(readFileSync(victim, "utf8")).toBe("precious");
  expect(existsSync(join(place.root, "mine/run/agent"))).toBe(true);
  expect(existsSync(join(prefix, "bin/femtoclaw"))).toBe(true);
});

test("a note of what is under way takes nothing away either", async () => {
  rmSync(join(prefix, "lib/femtoclaw/current"));
  const files = [{ kind: "folder", path: prefix }, file(victim)];
  writeFileSync(join(prefix, "lib/femtoclaw/pending.json"), JSON.stringify({ doing: "install", files }));
  expect((await place.run(["uninstall", "--prefix", prefix])).stderr).toContain("none of it");
  expect(readFileSync(victim, "utf8")).toBe("precious");
});

test("a copy of an installation leaves the one that it was copied from alone", async () => {
  const copy = join(place.root, "copy");
  cpSync(prefix, copy, { recursive: true, verbatimSymlinks: true });
  writeFileSync(flag, "runs");
  const next = release(join(place.root, "r"), { version: "2.0.0", signer, script: flagScript(flag) });
  for (const command of [["uninstall", "--changed", "--state"], ["upgrade", next], ["rollback"]]) {
    const { code, stderr } = await place.run([...command, "--prefix", copy]);
    expect([command, code, stderr]).toEqual([command, 78, expect.stringContaining("none of it")]);
  }
  expect(existsSync(flag)).toBe(true);
  for (const name of ["bin/femtoclaw", "etc/femtoclaw/femtoclaw.toml", "lib/systemd/user/femtoclaw.service"]) {
    expect(existsSync(join(prefix, name)), name).toBe(true);
  }
  rmSync(flag);
  const { code, stderr } = await place.run(["uninstall", "--prefix", prefix]);
  // Nothing was ever started, so no state stays.
  expect([code, stderr, existsSync(prefix)]).toEqual([0, "", false]);
});
