import { existsSync, realpathSync } from "node:fs";
import { expect, test } from "vitest";
import { ownPrograms } from "../../src/configuration/own-programs.ts";

test("the programs of a checkout are Node.js and the folders that code is loaded from", () => {
  const paths = ownPrograms();
  expect(paths[0]).toBe(realpathSync(process.execPath));
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  expect(paths.some((path) => import.meta.dirname.startsWith(`${path}/`))).toBe(true);
});

test("an installed package is protected with everything that it may depend on", () => {
  const installed = "/project/node_modules/@femtoclaw/host/src/configuration";
  expect(ownPrograms(installed).slice(1)).toEqual(["/project/node_modules"]);
  const nested = "/project/node_modules/a/node_modules/@femtoclaw/host/src/configuration";
  expect(ownPrograms(nested).slice(1)).toEqual(["/project/node_modules"]);
});
