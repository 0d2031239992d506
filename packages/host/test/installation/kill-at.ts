/**
 * Loaded before a command: kills the process before the n-th call of a function of node:fs that is about such a path, as
 * `FEMTO_TEST_KILL_AT=renameSync:2` and `FEMTO_TEST_KILL_IN` say.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [name = "", nth] = (process.env["FEMTO_TEST_KILL_AT"] ?? "").split(":");
const path = new RegExp(process.env["FEMTO_TEST_KILL_IN"] ?? "");
const functions = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
const real = functions[name];
if (real === undefined) throw new Error(`node:fs has no ${name}`);

let calls = 0;
functions[name] = (...args) => {
  if (args.some((arg) => typeof arg === "string" && path.test(arg))) calls += 1;
  if (calls === Number(nth)) process.kill(process.pid, "SIGKILL");
  return real(...args);
};
syncBuiltinESMExports();
