/** Files of a policy that somebody else could have put there decide nothing. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { expect, test } from "vitest";
import { loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { readProjectFiles } from "../../src/configuration/project-files.ts";
import { TrustStore } from "../../src/configuration/trust-store.ts";
import { loadPolicy } from "../../src/process/preflight.ts";
import { faultOf, TemporaryHome } from "../configuration/temporary-home.ts";

const isRoot = process.getuid?.() === 0;
const FORBID = `@id("a") forbid (principal, action == Action::"fs_read", resource);`;

test.each<[name: string, spoil: (home: TemporaryHome) => void, code: string]>([
  [
    "a symbolic link",
    (home) => symlinkSync(home.write("elsewhere.cedar", FORBID), home.path("project/policy/b.cedar")),
    "FEMTO_CONFIG_INVALID",
  ],
  [
    "a folder that is a symbolic link",
    (home) => symlinkSync(home.folder("other"), home.path("project/policy/team")),
    "FEMTO_CONFIG_INVALID",
  ],
  [
    "a file that others can change",
    (home) => chmodSync(home.path("project/policy/a.cedar"), 0o664),
    "FEMTO_CONFIG_OWNER",
  ],
  ["a folder that others can change", (home) => chmodSync(home.path("project/policy"), 0o775), "FEMTO_CONFIG_OWNER"],
  [
    "a file of 100 MB",
    (home) => truncateSync(home.path("project/policy/a.cedar"), 100_000_000),
    "FEMTO_CONFIG_INVALID",
  ],
  [
    "a folder instead of a file",
    (home) => mkdirSync(home.path("project/policy/b.cedar/c/d/e/f"), { recursive: true }),
    "FEMTO_CONFIG_INVALID",
  ],
])("%s is refused before anything is read of it", (_name, spoil, code) => {
  using home = new TemporaryHome();
  const configFlag = home.write("project/femtoclaw.toml", "");
  home.write("project/policy/a.cedar", FORBID);
  const load = () => loadConfiguration({ cwd: "/", environment: home.environment, configFlag });
  expect(faultOf(load)).toBeUndefined();
  spoil(home);
  expect(faultOf(load)?.code).toBe(code);
});

test.runIf(isRoot).each(["project/policy", "project/policy/a.cedar"])("%s of another user is refused", (name) => {
  using home = new TemporaryHome();
  const configFlag = home.write("project/femtoclaw.toml", "");
  home.write("project/policy/a.cedar", FORBID);
  chownSync(home.path(name), 65_534, 65_534);
  expect(faultOf(() => loadConfiguration({ cwd: "/", environment: home.environment, configFlag }))?.code).toBe(
    "FEMTO_CONFIG_OWNER",
  );
});

test("what was read is what is compiled, and a change after that has to be trusted anew", async () => {
  using home = new TemporaryHome();
  const path = home.write("project/femtoclaw.toml", "");
  home.write("project/policy/a.cedar", FORBID);
  const { directory, sha256 } = readProjectFiles(path);
  await new TrustStore(home.environment).trust(directory, sha256);
  const options = { cwd: home.path("project"), environment: home.environment };
  const loaded = loadConfiguration(options);
  home.write("project/policy/a.cedar", `@id("b") permit (principal, action, resource);`);
  expect((await loadPolicy(loaded)).policyFiles.rules.map(({ id }) => id)).toEqual(["file/a/a"]);
  expect(faultOf(() => loadConfiguration(options))?.code).toBe("FEMTO_CONFIG_UNTRUSTED");
});

test("many large files end in an error, not in a host that hangs", async () => {
  using home = new TemporaryHome();
  const configFlag = home.write("project/femtoclaw.toml", "");
  const large = Array.from(
    { length: 250 },
    (_, at) =>
      `@id("p${at}") forbid (principal, action == Action::"fs_read", resource) when { context.type == "${"x".repeat(4_000)}" };`,
  );
  for (let file = 0; file < 20; file += 1) home.write(`project/policy/f${file}.cedar`, large.join("\n"));
  const loaded = loadConfiguration({ cwd: "/", environment: home.environment, configFlag });
  await expect(loadPolicy(loaded)).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
});
