/** Compiled code that is kept is run as it lies there, so nobody but the host's user may ever put any there. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { stateHome, VERSION } from "@femtoclaw/protocol";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compiledCodeFolder } from "../src/compiled-code.js";
import { CONFIGURATION, Playground, SOURCES } from "./playground.ts";

const OTHER_UID = 1_000;

describe("the folder of compiled code", () => {
  let home = "";
  beforeEach(() => {
    home = realpathSync(mkdtempSync("/tmp/fc-"));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const folder = (): string | undefined => compiledCodeFolder({ HOME: home });
  const state = (): string => join(home, ".local/state/femtoclaw");

  it("is made for this user alone, in the folder of all state, which no call reaches", () => {
    for (const environment of [{ HOME: home }, { HOME: "/", XDG_STATE_HOME: join(home, "x") }]) {
      const made = compiledCodeFolder(environment);
      expect(made).toBe(join(stateHome(environment) ?? "", "compiled-code"));
      expect(lstatSync(String(made)).mode & 0o7777).toBe(0o700);
    }
  });

  it.each([
    ["without a home", {}],
    ["with a home that is a relative path", { HOME: "home", XDG_STATE_HOME: "state" }],
  ])("is not used %s", (_name, environment) => {
    expect(compiledCodeFolder(environment)).toBeUndefined();
  });

  it.each([0o777, 0o1777, 0o770, 0o750, 0o701])("is not used with mode %o, and stays as it is", (mode) => {
    chmodSync(String(folder()), mode);
    expect(folder()).toBeUndefined();
    expect(lstatSync(join(state(), "compiled-code")).mode & 0o7777).toBe(mode);
  });

  it.each([".", ".local", ".local/state", ".local/state/femtoclaw"])(
    "is not used where others can move %s",
    (above) => {
      expect(folder()).toBeDefined();
      chmodSync(join(home, above), 0o775);
      expect(folder()).toBeUndefined();
    },
  );

  it.runIf(HAS_SMALL_DISK)("gets nothing on a full disk, and no empty files either", async () => {
    await using place = new Playground(CONFIGURATION, SOURCES);
    using disk = new SmallDisk(262_144);
    const env = { XDG_STATE_HOME: disk.path, NODE_COMPILE_CACHE: undefined };
    disk.fill();
    expect((await place.run(["policy", "check"], { env })).code).toBe(0);
    expect(readdirSync(join(disk.path, "femtoclaw/compiled-code"), { recursive: true })).toEqual([]);
  });

  it("is not used where a link leads out of the state, to a folder of the same user", () => {
    const elsewhere = join(home, "workspace");
    mkdirSync(elsewhere, { mode: 0o700 });
    mkdirSync(state(), { recursive: true, mode: 0o700 });
    symlinkSync(elsewhere, join(state(), "compiled-code"));
    expect(folder()).toBeUndefined();
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it("is not used where a file stands in its place", () => {
    mkdirSync(state(), { recursive: true, mode: 0o700 });
    writeFileSync(join(state(), "compiled-code"), "");
    expect(folder()).toBeUndefined();
  });

  // Only root can give files away; root is also who has most to lose in the home of another user.
  const asRoot = process.geteuid?.() === 0;
  it.runIf(asRoot).each([".", ".local/state/femtoclaw", ".local/state/femtoclaw/compiled-code"])(
    "is not used where %s belongs to another user",
    (given) => {
      expect(folder()).toBeDefined();
      chownSync(join(home, given), OTHER_UID, OTHER_UID);
      expect(folder()).toBeUndefined();
    },
  );
});

describe("a host whose calls may write around its state", () => {
  let place: Playground;
  beforeEach(() => {
    place = new Playground(
      CONFIGURATION.replace('read = ["."]\nwrite = ["out"]', 'read = [".", ".."]\nwrite = ["out", "../h/.local"]'),
      SOURCES,
    );
    place.environment["NODE_COMPILE_CACHE"] = undefined;
  });
  afterEach(() => place[Symbol.asyncDispose]());
  const kept = (): string => join(String(place.environment["HOME"]), ".local/state/femtoclaw/compiled-code");
  const files = (): string[] =>
    readdirSync(kept(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));

  it("keeps compiled code once it is ready, and lets no call write or see it", async () => {
    const host = await place.up();
    await expect.poll(() => files().length).toBeGreaterThan(50);
    const [first = ""] = files();
    const before = lstatSync(first);
    for (const path of [first, join(kept(), "planted")]) {
      for (const mode of ["create", "overwrite", "append"]) {
        const written = await place.propose("fs_write", { path, content: "x", mode });
        expect(written).toMatchObject({ status: "denied", error: { code: "FEMTO_POLICY_FORBIDDEN" } });
      }
      const seen = await place.propose("process_exec", { bin: "cat", argv: ["--", path] });
      expect(seen).toMatchObject({ result: { stdout: "" } });
      await place.propose("process_exec", { bin: "tee", argv: ["--", path] });
    }
    expect(files().some((name) => name.endsWith("planted"))).toBe(false);
    expect(lstatSync(first)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs, ino: before.ino });
    host.kill("SIGTERM");
    expect(await host.ended).toBe(0);
  });

  it("runs its own code where what is kept was damaged or cut short", async () => {
    const version = async (): Promise<unknown> => (await place.run(["--version"])).stdout.trim();
    expect(await version()).toBe(VERSION);
    for (const [index, file] of files().entries()) {
      if (index % 2 === 0) truncateSync(file, Math.floor(lstatSync(file).size / 2));
      else writeFileSync(file, Buffer.alloc(lstatSync(file).size, 0x41));
    }
    expect(await version()).toBe(VERSION);
    expect(await version()).toBe(VERSION);
  });
});
