/** The file that a host in the background writes its log to. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BackgroundLog } from "../src/commands/host/background-log.ts";
import { TemporaryHome } from "./configuration/temporary-home.ts";

test("is no pipe, which would fill up and hold the host", () => {
  using home = new TemporaryHome();
  const path = join(home.root, "host.log");
  execFileSync("mkfifo", [path]);
  expect(() => new BackgroundLog(path)).toThrow(/host\.log cannot be opened: it is no regular file/);
});

test("cannot be made on a full disk, and that is what is said", () => {
  using home = new TemporaryHome();
  const { openSync } = fs;
  fs.openSync = () => {
    throw Object.assign(new Error("ENOSPC: no space left on device, open"), { code: "ENOSPC" });
  };
  syncBuiltinESMExports();
  try {
    expect(() => new BackgroundLog(join(home.root, "host.log"))).toThrow(
      expect.objectContaining({ code: "FEMTO_DISK_FULL", fix: expect.stringContaining("Free space") as string }),
    );
  } finally {
    fs.openSync = openSync;
    syncBuiltinESMExports();
  }
});
