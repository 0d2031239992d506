/** Every preset loads at once, is trusted, and is one that the policy accepts. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { lockFile } from "@femtoclaw/journal/file-lock";
import { compilePolicy } from "@femtoclaw/policy";
import { expect, test } from "vitest";
import { initProject } from "../../src/configuration/init-project.ts";
import { loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { PRESETS, presetTests } from "../../src/configuration/presets.ts";
import { TrustStore } from "../../src/configuration/trust-store.ts";
import { TemporaryHome } from "./temporary-home.ts";

test.each(PRESETS)("preset %s", async (preset) => {
  using home = new TemporaryHome();
  const { environment } = home;
  const result = await initProject({ directory: "project", preset, cwd: home.root, environment });
  const { resolved } = loadConfiguration({ cwd: home.path("project"), environment });
  expect(result.created.at(-1)).toBe(home.path("project/femtoclaw.toml"));
  expect(result.stateDirectory).toBe(resolved.stateDirectory);
  expect(statSync(result.stateDirectory).mode & 0o777).toBe(0o700);
  expect(compilePolicy({ authority: resolved.authority, manifests: [] }).revision).toMatch(/^[0-9a-f]{64}$/);
  expect(resolved.authority.allow.run.map(({ path }) => path)).toContain("/usr/bin/cat");
  const writes = preset !== "read-only";
  expect(resolved.authority.allow.write).toHaveLength(writes ? 1 : 0);
  for (const name of ["fs_write", "fs_edit", "fs_mkdir", "fs_move", "fs_delete"]) {
    expect(resolved.capabilities.has(name)).toBe(writes);
  }
  expect(resolved.authority.ask.run.map(({ path }) => path).includes("/usr/bin/git")).toBe(writes);
  for (const name of ["fs_read", "fs_list", "fs_stat", "fs_search"]) expect(resolved.capabilities.has(name)).toBe(true);
  expect(result.created[0]).toBe(home.path("project/policy/first.test.toml"));
  expect(result.description).toContain(writes ? `may write:\n  ${home.path("project")}` : "may write:\n  nothing");
});

test("nothing is ever overwritten, and an existing policy is not vouched for", async () => {
  using home = new TemporaryHome();
  const options = {
    directory: home.path("project"),
    preset: "read-only",
    cwd: "/",
    environment: home.environment,
  } as const;
  home.write("project/femtoclaw.toml", "mine");
  await expect(initProject(options)).rejects.toThrow("femtoclaw.toml exists already");
  expect(readFileSync(home.path("project/femtoclaw.toml"), "utf8")).toBe("mine");

  home.write("both/femtoclaw.toml", "mine");
  home.write("both/policy/mine.cedar", "");
  await expect(initProject({ ...options, directory: home.path("both") })).rejects.toThrow("femtoclaw.toml exists");

  home.write("planted/policy/evil.cedar", "permit(principal, action, resource);");
  await expect(initProject({ ...options, directory: home.path("planted") })).rejects.toThrow("policy exists already");
  expect(readdirSync(home.path("planted"))).toEqual(["policy"]);

  home.folder("linked");
  symlinkSync(home.path("victim"), home.path("linked/femtoclaw.toml"));
  await expect(initProject({ ...options, directory: home.path("linked") })).rejects.toThrow("exists already");
  expect(existsSync(home.path("victim"))).toBe(false);
  expect(new TrustStore(home.environment).list().size).toBe(0);
});

test("an empty policy folder, as an earlier attempt may have left it, is no obstacle", async () => {
  using home = new TemporaryHome();
  home.folder("project/policy");
  const { environment } = home;
  const { created } = await initProject({ directory: "project", preset: "node", cwd: home.root, environment });
  expect(created).toEqual([home.path("project/policy/first.test.toml"), home.path("project/femtoclaw.toml")]);
});

test("what an init that was killed has left of its policy is no obstacle, and what only looks like it is", async () => {
  using home = new TemporaryHome();
  const options = { directory: "project", preset: "node", cwd: home.root, environment: home.environment } as const;
  const tests = presetTests("node");
  const left = home.write("project/policy/first.test.toml", tests);
  for (const [name, content] of [
    ["first.test.toml", `${tests}# more`],
    ["first.test.toml", tests.slice(0, -1)],
    ["second.test.toml", tests],
  ] as const) {
    home.write(`project/policy/${name}`, content);
    await expect(initProject(options)).rejects.toThrow("policy exists already");
  }
  rmSync(home.path("project/policy/second.test.toml"));
  rmSync(left);
  home.write("project/policy/first.test.toml", tests);
  expect((await initProject(options)).created).toEqual([home.path("project/femtoclaw.toml")]);
  const loaded = loadConfiguration({ cwd: home.path("project"), environment: home.environment });
  expect([...loaded.policyFiles.keys()]).toEqual(["first.test.toml"]);
});

/** Loaded before `init`: kills it before a step of the n-th file that it writes, once half of the file is there. */
const KILLER = `
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  const [step, nth] = process.env.KILL_AT.split(":");
  const { writeFileSync, [step]: real } = fs;
  let files = 0;
  fs.writeFileSync = (to, content, ...rest) => {
    const isOwn = typeof to === "number" && /first|femtoclaw\\.toml/.test(fs.readlinkSync("/proc/self/fd/" + to));
    if (isOwn) files += 1;
    if (!isOwn || files !== Number(nth) || step !== "fsyncSync") return writeFileSync(to, content, ...rest);
    fs.writeSync(to, content, 0, content.length >> 1);
    process.kill(process.pid, "SIGKILL");
  };
  if (step !== "fsyncSync") fs[step] = (...args) => {
    if (files === Number(nth)) process.kill(process.pid, "SIGKILL");
    return real(...args);
  };
  syncBuiltinESMExports();`;

test.each([
  ["fsyncSync:1", "in the middle of the tests"],
  ["linkSync:1", "before the tests have their name"],
  ["rmSync:1", "when the tests have two names"],
  ["fsyncSync:2", "in the middle of the configuration"],
  ["linkSync:2", "before the configuration has its name"],
])("an init that is killed before %s, %s, is no obstacle for the next one, and nothing of it is left", async (at) => {
  using home = new TemporaryHome();
  const { environment } = home;
  const module = fileURLToPath(new URL("../../src/configuration/init-project.ts", import.meta.url));
  const options = { directory: "project", preset: "node", cwd: home.root, environment } as const;
  const script = `${KILLER}
    const { initProject } = await import(${JSON.stringify(module)});
    await initProject({ ...${JSON.stringify(options)}, environment: process.env });`;
  const args = ["--input-type=module", "-e", script];
  const killed = promisify(execFile)(process.execPath, args, { env: { ...environment, KILL_AT: at } });
  await expect(killed).rejects.toMatchObject({ signal: "SIGKILL" });
  expect(readdirSync(home.path("project"), { recursive: true })).not.toContain("femtoclaw.toml");
  expect((await initProject(options)).created).toContain(home.path("project/femtoclaw.toml"));
  expect(readdirSync(home.path("project"), { recursive: true }).toSorted()).toEqual([
    ...["femtoclaw.toml", "policy", "policy/first.test.toml"],
  ]);
  loadConfiguration({ cwd: home.path("project"), environment });
});

test("where nothing could be loaded, nothing is written", async () => {
  using home = new TemporaryHome();
  home.folder("project");
  const environment = { ...home.environment, XDG_RUNTIME_DIR: `/${"x".repeat(120)}` };
  const attempt = initProject({ directory: "project", preset: "node", cwd: home.root, environment });
  await expect(attempt).rejects.toMatchObject({ code: "FEMTO_SOCKET_PATH" });
  expect(readdirSync(home.path("project"))).toEqual([]);
});

test("nothing is written while another process changes what is trusted, which may be another init", async () => {
  using home = new TemporaryHome();
  const { environment } = home;
  const store = new TrustStore(environment);
  await store.trust("/other", "0".repeat(64));
  const lock = lockFile(home.path("home/.local/state/femtoclaw/trusted.json.lock"));
  const attempt = initProject({ directory: "project", preset: "node", cwd: home.root, environment });
  await sleep(100);
  const meanwhile = readdirSync(home.path("project"), { recursive: true });
  lock?.[Symbol.dispose]();
  expect(meanwhile).toEqual([]);
  expect((await attempt).created).toHaveLength(2);
});

test("of several at once, one makes the project, and the others change nothing of it", async () => {
  using home = new TemporaryHome();
  const { environment } = home;
  const module = fileURLToPath(new URL("../../src/configuration/init-project.ts", import.meta.url));
  const script = `const { initProject } = await import(${JSON.stringify(module)});
    const said = [];
    for (let n = 0; n < 20; n += 1) {
      const options = { directory: "project" + n, preset: "node", cwd: process.argv[1], environment: process.env };
      said.push(await initProject(options).then(() => "made", ({ message }) => message));
    }
    console.log(JSON.stringify(said));`;
  const args = ["--input-type=module", "-e", script, home.root];
  const inits = Array.from({ length: 3 }, () => promisify(execFile)(process.execPath, args, { env: environment }));
  const said = (await Promise.all(inits)).map(({ stdout }) => JSON.parse(stdout) as string[]);
  for (let n = 0; n < 20; n += 1) {
    const own = said.map((answers) => String(answers[n])).sort();
    expect(own.at(-1)).toBe("made");
    for (const refusal of own.slice(0, -1)) expect(refusal).toContain("femtoclaw.toml exists already");
    const loaded = loadConfiguration({ cwd: home.path(`project${n}`), environment });
    expect([...loaded.policyFiles.keys()]).toEqual(["first.test.toml"]);
  }
});
