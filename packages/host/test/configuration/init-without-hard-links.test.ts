/** `init` on a file system that has no hard links, such as FAT. */
import fs, { readdirSync, readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { afterAll, beforeAll, expect, test } from "vitest";
import { initProject } from "../../src/configuration/init-project.ts";
import { loadConfiguration } from "../../src/configuration/load-configuration.ts";
import { TemporaryHome } from "./temporary-home.ts";

const { linkSync } = fs;
beforeAll(() => {
  fs.linkSync = () => {
    throw Object.assign(new Error("EPERM: operation not permitted, link"), { code: "EPERM" });
  };
  syncBuiltinESMExports();
});
afterAll(() => {
  fs.linkSync = linkSync;
  syncBuiltinESMExports();
});

test("writes the same project, leaves nothing beside it, and overwrites nothing", async () => {
  using home = new TemporaryHome();
  const { environment } = home;
  const options = { directory: "project", preset: "read-only", cwd: home.root, environment } as const;
  await initProject(options);
  expect(readdirSync(home.path("project"), { recursive: true }).toSorted()).toEqual([
    ...["femtoclaw.toml", "policy", "policy/first.test.toml"],
  ]);
  const { path } = loadConfiguration({ cwd: home.path("project"), environment });
  const written = readFileSync(path, "utf8");
  await expect(initProject(options)).rejects.toThrow("femtoclaw.toml exists already");
  expect(readFileSync(path, "utf8")).toBe(written);
});

test("only one of two at once writes it", async () => {
  using home = new TemporaryHome();
  const { environment } = home;
  const options = { directory: "project", preset: "read-only", cwd: home.root, environment } as const;
  const ends = await Promise.allSettled([initProject(options), initProject(options), initProject(options)]);
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(loadConfiguration({ cwd: home.path("project"), environment }).path).toBe(home.path("project/femtoclaw.toml"));
});

test("a folder that cannot be made is not laid to the user's home", async () => {
  using home = new TemporaryHome();
  home.write("file", "");
  const { environment } = home;
  const made = initProject({ directory: "file/project", preset: "read-only", cwd: home.root, environment });
  await expect(made).rejects.toMatchObject({
    code: "FEMTO_SURROUNDINGS",
    fix: "Name a folder that this user may write to, on a disk with room.",
  });
});

test("a folder in which nothing can be made is told of by its own name", async () => {
  using home = new TemporaryHome();
  const { environment } = home;
  // Here not even root makes anything.
  const made = initProject({ directory: "/proc", preset: "read-only", cwd: home.root, environment });
  await expect(made).rejects.toMatchObject({
    code: "FEMTO_SURROUNDINGS",
    message: expect.stringMatching(/^the folder \/proc\/policy cannot be made \(E[A-Z]+\)$/),
  });
});
