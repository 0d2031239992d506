/** Attacks on the files that decide what is allowed: owners, modes, links, devices, swapped folders. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, linkSync, mkdirSync, renameSync, statSync, symlinkSync } from "node:fs";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import { expect, test } from "vitest";
import { readProjectFiles } from "../../src/configuration/project-files.ts";
import { faultOf, TemporaryHome } from "./temporary-home.ts";

const isRoot = process.getuid?.() === 0;
const STRANGER = 65_534;

function project(home: TemporaryHome): string {
  home.write("project/policy/team/a.cedar", "permit");
  return home.write("project/femtoclaw.toml", "workspace = '.'");
}

test.each([
  "project/femtoclaw.toml",
  "project",
  "project/policy",
  "project/policy/team",
  "project/policy/team/a.cedar",
])("%s that others can change is refused, with the command that helps", (name) => {
  using home = new TemporaryHome();
  const path = project(home);
  const mode = statSync(home.path(name)).mode;
  for (const bits of [0o020, 0o002, 0o666]) {
    chmodSync(home.path(name), mode | bits);
    const fault = faultOf(() => readProjectFiles(path));
    expect(fault?.code).toBe("FEMTO_CONFIG_OWNER");
    expect(fault?.message).toContain(`run: chmod go-w ${home.path(name)}`);
  }
  chmodSync(home.path(name), mode);
  expect(faultOf(() => readProjectFiles(path))).toBeUndefined();
});

test.runIf(isRoot).each(["project/femtoclaw.toml", "project", "project/policy", "project/policy/team/a.cedar"])(
  "%s of another user is refused",
  (name) => {
    using home = new TemporaryHome();
    const path = project(home);
    chownSync(home.path(name), STRANGER, STRANGER);
    const fault = faultOf(() => readProjectFiles(path));
    expect(fault?.code).toBe("FEMTO_CONFIG_OWNER");
    expect(fault?.message).toContain(`(uid ${STRANGER}); run: chown 0 ${home.path(name)}`);
  },
);

test("a sticky folder is safe for a file of one's own, not for one that others can change", () => {
  using home = new TemporaryHome();
  const path = home.write("tmp/femtoclaw.toml", "");
  chmodSync(home.path("tmp"), 0o1777);
  expect(faultOf(() => readProjectFiles(path))).toBeUndefined();
  chmodSync(path, 0o666);
  expect(faultOf(() => readProjectFiles(path))?.code).toBe("FEMTO_CONFIG_OWNER");
});

test("where no folder is reached by its descriptor, nobody else may change one above it", () => {
  using home = new TemporaryHome();
  home.write("above/project/femtoclaw.toml", "workspace = '.'");
  const path = home.path("above/project");
  const opened = (platform: NodeJS.Platform): string | undefined => {
    using directory = SecureDirectory.open(path, platform);
    return directory?.read("femtoclaw.toml", 100)?.toString();
  };
  expect([opened("linux"), opened("darwin")]).toEqual(["workspace = '.'", "workspace = '.'"]);
  chmodSync(home.path("above"), 0o777);
  expect(opened("linux")).toBe("workspace = '.'");
  expect(faultOf(() => opened("darwin"))).toMatchObject({
    code: "FEMTO_CONFIG_OWNER",
    message: expect.stringContaining(`chmod go-w ${home.path("above")}`),
  });
});

test("symbolic links are refused wherever they stand in for a file or folder, and named", () => {
  using home = new TemporaryHome();
  home.write("target/file", "workspace = '.'");
  home.folder("project");
  symlinkSync("../target/file", home.path("project/femtoclaw.toml"));
  const fault = faultOf(() => readProjectFiles(home.path("project/femtoclaw.toml")));
  expect(fault).toMatchObject({ code: "FEMTO_CONFIG_INVALID" });
  expect(fault?.message).toBe(`${home.path("project/femtoclaw.toml")} is a symbolic link to ../target/file`);

  const other = home.write("other/femtoclaw.toml", "");
  symlinkSync(home.path("target"), home.path("other/policy"));
  expect(faultOf(() => readProjectFiles(other))?.message).toContain("policy is a symbolic link to");

  const inside = home.write("inside/femtoclaw.toml", "");
  home.folder("inside/policy");
  symlinkSync(home.path("target/file"), home.path("inside/policy/x.cedar"));
  expect(faultOf(() => readProjectFiles(inside))?.message).toContain("x.cedar is a symbolic link to");
  symlinkSync("/nowhere", home.path("inside/policy/dangling"));
  expect(faultOf(() => readProjectFiles(inside))?.message).toContain("is a symbolic link to");
});

test("a link on the way is followed before the folder is checked", () => {
  using home = new TemporaryHome();
  project(home);
  symlinkSync(home.path("project"), home.path("alias"));
  expect(readProjectFiles(home.path("alias/femtoclaw.toml")).path).toBe(home.path("project/femtoclaw.toml"));
  chmodSync(home.path("project"), 0o777);
  expect(faultOf(() => readProjectFiles(home.path("alias/femtoclaw.toml")))?.code).toBe("FEMTO_CONFIG_OWNER");
});

test("folders, pipes and devices are no configuration, and a pipe without a writer does not block", () => {
  using home = new TemporaryHome();
  const folder = home.folder("folder/femtoclaw.toml");
  expect(faultOf(() => readProjectFiles(folder))?.message).toContain("is not a regular file");
  home.folder("pipe");
  execFileSync("mkfifo", [home.path("pipe/femtoclaw.toml")]);
  expect(faultOf(() => readProjectFiles(home.path("pipe/femtoclaw.toml")))?.message).toContain("is not a regular file");
  expect(faultOf(() => readProjectFiles("/dev/zero"))?.message).toContain("is not a regular file");
});

test("size, number and depth are bounded", () => {
  using home = new TemporaryHome();
  const large = home.write("large/femtoclaw.toml", Buffer.alloc(1_048_577, "#"));
  expect(faultOf(() => readProjectFiles(large))?.message).toContain("is larger than 1048576 bytes");
  const exact = home.write("exact/femtoclaw.toml", Buffer.alloc(1_048_576, "#"));
  expect(faultOf(() => readProjectFiles(exact))).toBeUndefined();
  const deep = home.write("deep/femtoclaw.toml", "");
  home.write("deep/policy/1/2/3/4/x", "");
  expect(faultOf(() => readProjectFiles(deep))?.message).toContain("is nested deeper than 4 folders");
  const many = home.write("many/femtoclaw.toml", "");
  for (let index = 0; index <= 256; index += 1) home.write(`many/policy/${index}`, "");
  expect(faultOf(() => readProjectFiles(many))?.message).toContain("holds more than 256 files");
});

test("a folder that is swapped after it was checked is not looked into", () => {
  using home = new TemporaryHome();
  home.write("project/femtoclaw.toml", "mine");
  home.write("evil/femtoclaw.toml", "evil");
  using directory = SecureDirectory.open(home.path("project"));
  renameSync(home.path("project"), home.path("moved"));
  renameSync(home.path("evil"), home.path("project"));
  expect(directory?.read("femtoclaw.toml", 100)?.toString()).toBe("mine");
  renameSync(home.path("moved"), home.path("again"));
  mkdirSync(home.path("moved"));
  expect(directory?.read("femtoclaw.toml", 100)?.toString()).toBe("mine");
});

test.runIf(isRoot)("a hard link to the file of another user is refused like the file", () => {
  using home = new TemporaryHome();
  const theirs = home.write("theirs/file", "workspace = '/etc'");
  chownSync(theirs, STRANGER, STRANGER);
  home.folder("project");
  linkSync(theirs, home.path("project/femtoclaw.toml"));
  expect(faultOf(() => readProjectFiles(home.path("project/femtoclaw.toml")))?.code).toBe("FEMTO_CONFIG_OWNER");
});

test("a missing configuration is not found; a missing policy folder is no policy", () => {
  using home = new TemporaryHome();
  expect(faultOf(() => readProjectFiles(home.path("none/femtoclaw.toml")))?.code).toBe("FEMTO_CONFIG_NOT_FOUND");
  expect(faultOf(() => readProjectFiles(home.path("femtoclaw.toml")))?.code).toBe("FEMTO_CONFIG_NOT_FOUND");
  expect(readProjectFiles(home.write("p/femtoclaw.toml", "")).policy.size).toBe(0);
});

test("paths in commands are quoted for the shell", () => {
  using home = new TemporaryHome();
  const path = home.write("it's here/femtoclaw.toml", "");
  chmodSync(path, 0o666);
  expect(faultOf(() => readProjectFiles(path))?.message).toContain(
    `chmod go-w '${home.root}/it'\\''s here/femtoclaw.toml'`,
  );
});
