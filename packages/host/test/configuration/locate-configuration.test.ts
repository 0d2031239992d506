/** Which configuration is taken, and that a named one that is missing is never replaced by another. */
import { symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { locateConfiguration } from "../../src/configuration/locate-configuration.ts";
import { faultOf, TemporaryHome } from "./temporary-home.ts";

test("--config, then FEMTOCLAW_CONFIG, then the nearest upward, then the user's own", () => {
  using home = new TemporaryHome();
  const cwd = home.folder("project/a/b");
  const flag = home.write("flag/f.toml", "");
  const variable = home.write("variable/v.toml", "");
  const nearest = home.write("project/a/femtoclaw.toml", "");
  home.write("project/femtoclaw.toml", "");
  const user = home.write("home/.config/femtoclaw/femtoclaw.toml", "");
  const environment = { ...home.environment, FEMTOCLAW_CONFIG: variable };
  expect(locateConfiguration({ cwd, environment, configFlag: flag })).toEqual({ path: flag, needsTrust: false });
  expect(locateConfiguration({ cwd, environment })).toEqual({ path: variable, needsTrust: false });
  expect(locateConfiguration({ cwd, environment: home.environment })).toEqual({ path: nearest, needsTrust: true });
  const elsewhere = home.folder("elsewhere");
  expect(locateConfiguration({ cwd: elsewhere, environment: home.environment })).toEqual({
    path: user,
    needsTrust: false,
  });
});

test("named files may be relative, and an empty variable names nothing", () => {
  using home = new TemporaryHome();
  const cwd = home.folder("project");
  const path = home.write("project/other.toml", "");
  const environment = { ...home.environment, FEMTOCLAW_CONFIG: "" };
  expect(locateConfiguration({ cwd, environment, configFlag: "other.toml" }).path).toBe(path);
  expect(faultOf(() => locateConfiguration({ cwd, environment }))?.code).toBe("FEMTO_CONFIG_NOT_FOUND");
});

test("a named file that is missing is a fault, whatever else lies around", () => {
  using home = new TemporaryHome();
  const cwd = home.folder("project");
  home.write("project/femtoclaw.toml", "");
  const environment = { ...home.environment, FEMTOCLAW_CONFIG: "/nowhere.toml" };
  expect(faultOf(() => locateConfiguration({ cwd, environment }))?.message).toBe(
    "there is no file /nowhere.toml, which FEMTOCLAW_CONFIG names",
  );
  expect(faultOf(() => locateConfiguration({ cwd, environment, configFlag: "x" }))?.message).toContain(
    "which --config names",
  );
});

test("the user's own configuration needs no trust from within its folder, and follows XDG_CONFIG_HOME", () => {
  using home = new TemporaryHome();
  const user = home.write("xdg/femtoclaw/femtoclaw.toml", "");
  const environment = { ...home.environment, XDG_CONFIG_HOME: home.path("xdg") };
  const cwd = home.path("xdg/femtoclaw");
  expect(locateConfiguration({ cwd, environment })).toEqual({ path: user, needsTrust: false });
});

test("a dangling link or a folder of that name is not passed over", () => {
  using home = new TemporaryHome();
  home.write("femtoclaw.toml", "");
  const linked = home.folder("linked");
  symlinkSync("/nowhere", home.path("linked/femtoclaw.toml"));
  const folder = home.folder("folder/femtoclaw.toml/below");
  const { environment } = home;
  expect(locateConfiguration({ cwd: linked, environment }).path).toBe(home.path("linked/femtoclaw.toml"));
  expect(locateConfiguration({ cwd: folder, environment }).path).toBe(home.path("folder/femtoclaw.toml"));
});
