/** Trust: nothing of a project counts before it is given, and any change takes it away. */
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import fs, {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { projectDigest, readProjectFiles } from "../../src/configuration/project-files.ts";
import { TrustStore } from "../../src/configuration/trust-store.ts";
import { faultOf, TemporaryHome } from "./temporary-home.ts";

const run = promisify(execFile);
const STORE = "home/.local/state/femtoclaw/trusted.json";

async function trusted(home: TemporaryHome): Promise<{ readonly path: string; readonly store: TrustStore }> {
  const path = home.write("project/femtoclaw.toml", "workspace = '.'");
  home.write("project/policy/a.cedar", "a");
  const store = new TrustStore(home.environment);
  const project = readProjectFiles(path);
  await store.trust(project.directory, project.sha256);
  return { path, store };
}

const refusal = (store: TrustStore, path: string) => faultOf(() => store.check(readProjectFiles(path)));

test("untrusted, trusted, revoked", async () => {
  using home = new TemporaryHome();
  const path = home.write("project/femtoclaw.toml", "");
  const store = new TrustStore(home.environment);
  expect(store.list().size).toBe(0);
  expect(refusal(store, path)).toMatchObject({ code: "FEMTO_CONFIG_UNTRUSTED" });
  const { directory, sha256 } = readProjectFiles(path);
  await store.trust(directory, sha256);
  expect(refusal(store, path)).toBeUndefined();
  expect([...store.list()]).toEqual([[directory, sha256]]);
  expect(await store.revoke(directory)).toBe(true);
  expect(await store.revoke(directory)).toBe(false);
  expect(refusal(store, path)?.message).toContain("has not been trusted");
});

test("the list lies in 0700 with 0600, whatever the umask", async () => {
  using home = new TemporaryHome();
  await trusted(home);
  expect(statSync(home.path(STORE)).mode & 0o777).toBe(0o600);
  expect(statSync(home.path("home/.local/state/femtoclaw")).mode & 0o777).toBe(0o700);
});

describe("any change takes trust away", () => {
  const changes: readonly [string, (home: TemporaryHome) => unknown][] = [
    ["a byte of the configuration", (home) => home.write("project/femtoclaw.toml", "workspace = '/'")],
    ["a byte of a policy", (home) => home.write("project/policy/a.cedar", "b")],
    ["a new policy", (home) => home.write("project/policy/b.cedar", "")],
    ["a policy in a new folder", (home) => home.write("project/policy/x/a.cedar", "a")],
    ["a policy less", (home) => rmSync(home.path("project/policy/a.cedar"))],
    ["another name", (home) => renameSync(home.path("project/policy/a.cedar"), home.path("project/policy/z.cedar"))],
    ["no policy folder", (home) => rmSync(home.path("project/policy"), { recursive: true })],
  ];
  test.each(changes)("%s", async (_, change) => {
    using home = new TemporaryHome();
    const { path, store } = await trusted(home);
    expect(refusal(store, path)).toBeUndefined();
    change(home);
    expect(refusal(store, path)?.message).toContain("has changed since it was trusted");
  });

  test("another place", async () => {
    using home = new TemporaryHome();
    const { store } = await trusted(home);
    renameSync(home.path("project"), home.path("moved"));
    expect(refusal(store, home.path("moved/femtoclaw.toml"))?.message).toContain("has not been trusted");
  });
});

test("what is trusted is what was shown, not what lies there by now", async () => {
  using home = new TemporaryHome();
  const path = home.write("project/femtoclaw.toml", "shown");
  const shown = readProjectFiles(path);
  home.write("project/femtoclaw.toml", "swapped");
  const store = new TrustStore(home.environment);
  await store.trust(shown.directory, shown.sha256);
  expect(refusal(store, path)?.code).toBe("FEMTO_CONFIG_UNTRUSTED");
});

test("no two projects have the same digest", () => {
  const content = fc.uint8Array({ maxLength: 8 });
  const files = fc.dictionary(fc.stringMatching(/^[a-c/]{1,4}$/), content, { maxKeys: 4 });
  fc.assert(
    fc.property(content, files, content, files, (left, leftFiles, right, rightFiles) => {
      const canonical = (bytes: Uint8Array, map: Record<string, Uint8Array>): string =>
        JSON.stringify([
          [...bytes],
          Object.entries(map)
            .map(([key, value]) => [key, [...value]])
            .sort(),
        ]);
      const isSame = canonical(left, leftFiles) === canonical(right, rightFiles);
      const digest = (bytes: Uint8Array, map: Record<string, Uint8Array>): string =>
        projectDigest(bytes, new Map(Object.entries(map)));
      expect(digest(left, leftFiles) === digest(right, rightFiles)).toBe(isSame);
    }),
  );
  const moved = (name: string, text: string): string =>
    projectDigest(Buffer.from(""), new Map([[name, Buffer.from(text)]]));
  expect(moved("a", "bc")).not.toBe(moved("ab", "c"));
});

describe("attacks on the list itself", () => {
  test("a list that others can change vouches for nothing", async () => {
    using home = new TemporaryHome();
    const { path, store } = await trusted(home);
    chmodSync(home.path(STORE), 0o666);
    expect(refusal(store, path)?.code).toBe("FEMTO_CONFIG_OWNER");
    chmodSync(home.path(STORE), 0o600);
    chmodSync(home.path("home/.local/state/femtoclaw"), 0o777);
    expect(refusal(store, path)?.code).toBe("FEMTO_CONFIG_OWNER");
    await expect(store.trust("/x", "0".repeat(64))).rejects.toMatchObject({ code: "FEMTO_CONFIG_OWNER" });
  });

  test.runIf(process.getuid?.() === 0)("nor does one of another user", async () => {
    using home = new TemporaryHome();
    const { path, store } = await trusted(home);
    chownSync(home.path(STORE), 65_534, 65_534);
    expect(refusal(store, path)?.code).toBe("FEMTO_CONFIG_OWNER");
  });

  test("nor does a link to one", async () => {
    using home = new TemporaryHome();
    const { path, store } = await trusted(home);
    renameSync(home.path(STORE), home.path("elsewhere.json"));
    symlinkSync(home.path("elsewhere.json"), home.path(STORE));
    expect(refusal(store, path)?.message).toContain("is a symbolic link");
  });

  test.each([
    "",
    "{}",
    "[]",
    '{"version":2,"projects":{}}',
    '{"version":1,"projects":{"relative":"x"}}',
    '{"version":1,"projects":{"/x":1}}',
    '{"version":1,"projects":{"/x":"00"}}',
    '{"version":1,"version":1,"projects":{}}',
    "\ufeff{}",
  ])("a damaged list trusts nobody and is not overwritten: %j", async (content) => {
    using home = new TemporaryHome();
    const { path, store } = await trusted(home);
    writeFileSync(home.path(STORE), content);
    expect(refusal(store, path)?.message).toContain("the list of trusted projects is damaged");
    await expect(store.trust("/x", "0".repeat(64))).rejects.toThrow("is damaged");
    expect(readFileSync(home.path(STORE), "utf8")).toBe(content);
    rmSync(home.path(STORE));
    await store.trust("/x", "0".repeat(64));
    expect([...store.list().keys()]).toEqual(["/x"]);
  });

  test("a planted link where the next content is written is not followed", async () => {
    using home = new TemporaryHome();
    const { store } = await trusted(home);
    const victim = home.write("victim", "untouched");
    symlinkSync(victim, home.path(`${STORE}.next`));
    expect(await store.revoke(home.path("project"))).toBe(true);
    expect(readFileSync(victim, "utf8")).toBe("untouched");
    expect(lstatSync(home.path(STORE)).isFile()).toBe(true);
  });

  test("without a home there is no trust", () => {
    expect(faultOf(() => new TrustStore({}))?.message).toContain("set HOME");
  });
});

test("a process that is killed while it trusts keeps nobody out", async () => {
  using home = new TemporaryHome();
  const { store } = await trusted(home);
  const module = fileURLToPath(new URL("../../src/configuration/trust-store.ts", import.meta.url));
  const script = `const { TrustStore } = await import(${JSON.stringify(module)});
    const store = new TrustStore({ HOME: ${JSON.stringify(home.path("home"))} });
    process.send("trusts");
    for (let n = 0; ; n += 1) await store.trust("/killed", (n % 2 ? "a" : "b").repeat(64));`;
  for (let round = 0; round < 8; round += 1) {
    const child = fork("", { execPath: process.execPath, execArgv: ["--input-type=module", "-e", script] });
    await once(child, "message");
    await sleep(round * 7);
    child.kill("SIGKILL");
    await once(child, "exit");
    await store.trust(`/after/${round}`, "c".repeat(64));
  }
  // Half a list, as a full disk or a machine that was switched off leaves it.
  writeFileSync(home.path(`${STORE}.next`), '{"version":1,"proj');
  await store.trust("/last", "d".repeat(64));
  expect([...store.list().keys()].filter((path) => path.startsWith("/after/"))).toHaveLength(8);
  expect(readdirSync(home.path("home/.local/state/femtoclaw")).sort()).toEqual(["trusted.json", "trusted.json.lock"]);
});

test("trust and its withdrawal outlast a power failure: the folder is synced after the list has its name", async () => {
  using home = new TemporaryHome();
  const { store } = await trusted(home);
  const done: string[] = [];
  const [sync, rename] = [fs.fsyncSync, fs.renameSync];
  fs.fsyncSync = (descriptor) => {
    done.push(`sync ${readlinkSync(`/proc/self/fd/${descriptor}`)}`);
    sync(descriptor);
  };
  fs.renameSync = (from, to) => {
    rename(from, to);
    done.push("rename");
  };
  syncBuiltinESMExports();
  try {
    await store.revoke(home.path("project"));
  } finally {
    Object.assign(fs, { fsyncSync: sync, renameSync: rename });
    syncBuiltinESMExports();
  }
  expect(done.slice(-2)).toEqual(["rename", `sync ${home.path("home/.local/state/femtoclaw")}`]);
});

test("several processes that trust at once lose nothing", async () => {
  using home = new TemporaryHome();
  const module = fileURLToPath(new URL("../../src/configuration/trust-store.ts", import.meta.url));
  const script = `const { TrustStore } = await import(${JSON.stringify(module)});
    const store = new TrustStore({ HOME: ${JSON.stringify(home.path("home"))} });
    for (let n = 0; n < 5; n += 1) await store.trust("/" + process.argv[1] + "/" + n, "a".repeat(64));`;
  const processes = Array.from({ length: 4 }, (_, index) =>
    run(process.execPath, ["--input-type=module", "-e", script, String(index)]),
  );
  await Promise.all(processes);
  expect(new TrustStore(home.environment).list().size).toBe(20);
});
