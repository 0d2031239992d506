/** A life of an installation, by the command line: laid out, upgraded, taken back, taken away. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Receipt } from "../../src/installation/receipt.ts";
import { Playground } from "../playground.ts";
import { cloneScript, newSigner, release } from "./stand-in.ts";

const signer = newSigner();
let place: Playground;
let prefix: string;
let key: string;

beforeAll(() => {
  place = new Playground();
  prefix = place.folder("i");
  key = place.write("release.key.pub", signer.pem);
});
afterAll(async () => {
  await place.run(["--config", join(prefix, "etc/femtoclaw/femtoclaw.toml"), "down", "--now"]);
  await place[Symbol.asyncDispose]();
});

const published = (version: string, fails?: string): string =>
  release(place.folder("r"), { version, signer, script: cloneScript(fails) });
const at = (name: string): string => join(prefix, name);
const run = (...args: string[]) => place.run([...args, "--prefix", prefix], { env: { FEMTOCLAW_CONFIG: undefined } });
const json = <T>(...args: string[]) => place.json<T>([...args, "--prefix", prefix]);
const host = (...args: string[]) => place.run(["--config", at("etc/femtoclaw/femtoclaw.toml"), ...args]);
const receipt = () => JSON.parse(readFileSync(at("lib/femtoclaw/current/receipt.json"), "utf8")) as Receipt;
const everything = () => readdirSync(prefix, { recursive: true, encoding: "utf8" }).sort();
const mode = (name: string): string => (lstatSync(at(name)).mode & 0o777).toString(8);

describe("an installation", () => {
  test("says what it would make, makes that and no more, and makes anew what is missing", async () => {
    const first = published("1.0.0");
    const plan = await json<{ do: string; path: string }[]>("install", first, "--key", key, "--dry-run");
    expect(everything()).toEqual([]);
    const planned = plan.value.filter((step) => step.do === "make").map(({ path }) => path.slice(prefix.length + 1));

    const made = await run("install", first, "--key", key);
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining(`${at("bin")} is not on your PATH`) });
    expect(made.stderr).toMatch(/^ {2}or by hand: .* up --detach$/m);
    const library = everything().filter((path) => path.startsWith("lib/femtoclaw/"));
    expect(everything().filter((path) => !library.includes(path))).toEqual(planned.sort());
    expect([mode("etc/femtoclaw/femtoclaw.toml"), mode("lib/femtoclaw/current/femtoclaw")]).toEqual(["644", "755"]);
    expect(["state", "run", "workspace"].map((name) => mode(`var/lib/femtoclaw/${name}`))).toEqual([
      "700",
      "700",
      "700",
    ]);
    expect(receipt()).toMatchObject({ version: "1.0.0", key: signer.pem, previous: null, prefix });

    const before = readFileSync(at("lib/femtoclaw/current/receipt.json"), "utf8");
    rmSync(at("bin/femtoclaw"));
    const again = await json<{ changed: boolean }>("install", first, "--key", key);
    expect(again.value).toMatchObject({ version: "1.0.0", changed: true });
    expect(readlinkSync(at("bin/femtoclaw"))).toBe(at("lib/femtoclaw/current/femtoclaw"));
    const third = await json<{ changed: boolean }>("install", first, "--key", key);
    expect(third.value).toMatchObject({ changed: false });
    expect(readFileSync(at("lib/femtoclaw/current/receipt.json"), "utf8")).toBe(before);
    const other = await run("install", published("1.1.0"), "--key", key);
    expect(other).toMatchObject({ code: 78, stderr: expect.stringContaining("femtoclaw upgrade") });
  });

  test("is upgraded under a host that runs, and goes back where the next one does not come up", async () => {
    expect((await host("up", "--detach")).code).toBe(0);
    const upgraded = await json<object>("upgrade", published("1.1.0"));
    expect(upgraded).toMatchObject({ code: 0, value: { from: "1.0.0", to: "1.1.0", changed: true } });
    expect(receipt()).toMatchObject({ version: "1.1.0", key: signer.pem });
    const kept = at(`lib/femtoclaw/deployments/${receipt().previous}/configuration/femtoclaw.toml`);
    expect(readFileSync(kept, "utf8")).toBe(readFileSync(at("etc/femtoclaw/femtoclaw.toml"), "utf8"));

    const broken = await run("upgrade", published("1.2.0", "up"));
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/FEMTO_UPGRADE_FAILED: 1\.2\.0 did not/) });
    expect((await host("status")).code).toBe(0);
    expect(receipt().version).toBe("1.1.0");
    const told = receipt().changes.map(({ change, to, reason }) => [change, to.version, reason !== undefined]);
    expect(told).toEqual([
      ["installed", "1.0.0", false],
      ["upgraded", "1.1.0", false],
      ["upgraded", "1.2.0", false],
      ["rolled_back", "1.1.0", true],
    ]);
    // One that says itself that it would not work is not even tried, and the host goes on.
    const blind = await run("upgrade", published("1.3.0", "doctor"));
    expect(blind).toMatchObject({ code: 78, stderr: expect.stringContaining("cannot look at this deployment") });
    expect(receipt().changes).toHaveLength(4);
  });

  test("is not taken away under a host or with files that somebody changed, and leaves what it did not make", async () => {
    expect(await run("uninstall")).toMatchObject({ code: 69, stderr: expect.stringContaining("FEMTO_HOST_RUNNING") });
    expect((await host("down")).code).toBe(0);
    const configuration = at("etc/femtoclaw/femtoclaw.toml");
    writeFileSync(configuration, `${readFileSync(configuration, "utf8")}# mine\n`);
    writeFileSync(at("etc/femtoclaw/policy/own.cedar"), "");
    const installed = everything();
    const refused = await run("uninstall");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("femtoclaw.toml was changed") });
    const { value: plan } = await json<{ path: string }[]>("uninstall", "--changed", "--dry-run");
    expect(everything()).toEqual(installed);

    const planned = plan.map(({ path }) => path);
    expect(new Set(planned).size).toBe(planned.length);
    expect(planned).not.toContain(at("var/lib/femtoclaw/state"));
    expect(await run("uninstall", "--changed")).toMatchObject({ code: 0 });
    expect(existsSync(at("lib"))).toBe(false);
    expect(everything().filter((path) => !path.startsWith("var"))).toEqual([
      "etc",
      "etc/femtoclaw",
      "etc/femtoclaw/policy",
      "etc/femtoclaw/policy/own.cedar",
    ]);
    expect(existsSync(at("var/lib/femtoclaw/state/journal"))).toBe(true);
    expect(await run("uninstall")).toMatchObject({ code: 78, stderr: expect.stringContaining("NOT_FOUND") });
  });

  test("is taken away with its state where that is said", async () => {
    rmSync(at("etc"), { recursive: true });
    expect((await run("install", published("1.1.0"), "--key", key, "--no-service")).code).toBe(0);
    // Nothing is needed of a configuration to take it away.
    writeFileSync(at("etc/femtoclaw/femtoclaw.toml"), "nonsense");
    // The log of before is gone on with by whoever starts a host here; until then it is the installation's to remove.
    expect(existsSync(at("var/lib/femtoclaw/state/journal"))).toBe(true);
    const gone = await json<{ emptied: string[] }>("uninstall", "--state", "--changed");
    expect(gone.value.emptied).toContain(at("var/lib/femtoclaw/state"));
    expect(readdirSync(at("var/lib/femtoclaw/state"))).toEqual([]);
  });
});
