import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { ownPrograms } from "../../src/configuration/own-programs.ts";

test("the programs of a checkout are Node.js and the folders that code is loaded from", () => {
  const paths = ownPrograms();
  expect(paths[0]).toBe(realpathSync(process.execPath));
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  expect(paths.some((path) => import.meta.dirname.startsWith(`${path}/`))).toBe(true);
});

test("an installed package is protected with everything that it may depend on", () => {
  const installed = "/project/node_modules/@femtoclaw/host/src";
  expect(ownPrograms({ folder: installed }).slice(1)).toEqual(["/project/node_modules"]);
  const nested = "/project/node_modules/a/node_modules/@femtoclaw/host/src";
  expect(ownPrograms({ folder: nested }).slice(1)).toEqual(["/project/node_modules"]);
});

test("of the standalone executable its own file is protected, and what is read beside it", () => {
  const program = realpathSync(process.execPath);
  const paths = ownPrograms({ release: { key: null, assets: {} } });
  expect(paths).toEqual([program, `${program}.manifest.json`, `${program}.manifest.sig`]);
});

test("of one that was installed all deployments are protected, since a rollback runs another one of them", () => {
  const library = realpathSync(mkdtempSync("/tmp/fo-"));
  try {
    const program = join(library, "deployments/2-1.0.0/femtoclaw");
    mkdirSync(dirname(program), { recursive: true });
    writeFileSync(program, "");
    expect(ownPrograms({ release: { key: null, assets: {} } }, program)).toContain(library);
  } finally {
    rmSync(library, { recursive: true });
  }
});
