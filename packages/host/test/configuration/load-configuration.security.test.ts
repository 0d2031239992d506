/** From options to what is in force: nothing untrusted is even parsed, and what was read is what counts. */
import { chmodSync, mkdirSync, rmdirSync, unlinkSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { readProjectFiles } from "../../src/configuration/project-files.ts";
import { TrustStore } from "../../src/configuration/trust-store.ts";
import { faultOf, TemporaryHome } from "./temporary-home.ts";

test.each(["file", "folder"])("a policy %s whose name is not UTF-8 is not passed over", (kind) => {
  using home = new TemporaryHome();
  const path = home.write("project/femtoclaw.toml", "");
  const odd = Buffer.concat([Buffer.from(`${home.folder("project/policy")}/n`), Buffer.from([0xff])]);
  if (kind === "file") writeFileSync(odd, "");
  else mkdirSync(odd, { mode: 0o755 });
  // What its bytes are read as is there as well the second time.
  for (const beside of ["policy/a.cedar", "policy/n\ufffd/a.cedar"]) {
    home.write(`project/${beside}`, "");
    const fault = faultOf(() => readProjectFiles(path));
    expect([fault?.code, fault?.message]).toEqual(["FEMTO_CONFIG_INVALID", expect.stringContaining("is not UTF-8")]);
  }
  (kind === "file" ? unlinkSync : rmdirSync)(odd);
});

test("a found configuration is loaded only when trusted, and not even its syntax is looked at before", async () => {
  using home = new TemporaryHome();
  const path = home.write("project/femtoclaw.toml", "this is not TOML");
  const options = { cwd: home.path("project"), environment: home.environment };
  expect(faultOf(() => loadConfiguration(options))).toMatchObject({ code: "FEMTO_CONFIG_UNTRUSTED", exit: 78 });
  home.write("project/femtoclaw.toml", "[allow]\nread = ['.']");
  home.write("project/policy/x.test.toml", "x");
  const { directory, sha256 } = readProjectFiles(path);
  await new TrustStore(home.environment).trust(directory, sha256);
  const loaded = loadConfiguration(options);
  expect(loaded).toMatchObject({ path, sha256, configuration: { allow: { read: ["."] } } });
  expect(loaded.resolved.authority.allow.read).toEqual([{ path: directory, source: "femtoclaw.toml:2:9" }]);
  expect([...loaded.policyFiles].map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
    ["x.test.toml", "x"],
  ]);
});

test("a project in the project's way is not trusted along with it", async () => {
  using home = new TemporaryHome();
  const { directory, sha256 } = readProjectFiles(home.write("project/femtoclaw.toml", ""));
  await new TrustStore(home.environment).trust(directory, sha256);
  home.write("project/sub/femtoclaw.toml", "");
  const fault = faultOf(() => loadConfiguration({ cwd: home.path("project/sub"), environment: home.environment }));
  expect(fault?.code).toBe("FEMTO_CONFIG_UNTRUSTED");
});

test("a named configuration needs no trust, but still a safe owner and mode", () => {
  using home = new TemporaryHome();
  const configFlag = home.write("project/other.toml", "workspace = '.'");
  const options = { cwd: "/", environment: home.environment, configFlag };
  expect(loadConfiguration(options).resolved.authority.workspace).toBe(home.path("project"));
  chmodSync(configFlag, 0o666);
  expect(faultOf(() => loadConfiguration(options))?.code).toBe("FEMTO_CONFIG_OWNER");
});

test("own files are out of reach: this configuration, its policy, the user's own, the list of trust", () => {
  using home = new TemporaryHome();
  const configFlag = home.write("project/femtoclaw.toml", "");
  const { floor } = loadConfiguration({ cwd: "/", environment: home.environment, configFlag }).resolved.authority;
  for (const own of [
    "project/femtoclaw.toml",
    "project/policy",
    "home/.config/femtoclaw/femtoclaw.toml",
    "home/.config/femtoclaw/policy",
    "home/.local/state/femtoclaw",
  ]) {
    expect(floor).toContain(home.path(own));
  }
});

test("--state overrides [memory].path and is named in faults", () => {
  using home = new TemporaryHome();
  const configFlag = home.write("project/femtoclaw.toml", "memory.path = 'there'");
  const options = { cwd: home.root, environment: home.environment, configFlag };
  expect(loadConfiguration(options).resolved.stateDirectory).toBe(home.path("project/there"));
  expect(loadConfiguration({ ...options, stateFlag: "here" }).resolved.stateDirectory).toBe(home.path("here"));
  home.write("file", "");
  const fault = faultOf(() => loadConfiguration({ ...options, stateFlag: "file/x" }));
  expect(fault?.message).toMatch(/^--state: /);
});

test("faults of resolving have places too", () => {
  using home = new TemporaryHome();
  const configFlag = home.write("p/femtoclaw.toml", "[allow]\nrun = { absent = ['x'] }\nwrite = ['a',\n '~b']\n");
  const fault = faultOf(() => loadConfiguration({ cwd: "/", environment: home.environment, configFlag }));
  expect(fault?.message.split("\n")).toEqual([
    "femtoclaw.toml:4:2: only `~/` is expanded, not `~b`",
    expect.stringMatching(/^femtoclaw\.toml:2:9: there is no program `absent`/),
  ]);
});
