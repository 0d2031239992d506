/** An installation on a file system from which nothing runs would be one that nobody could start. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { expect, test } from "vitest";
import { Library } from "../../src/installation/library.ts";
import type { Receipt } from "../../src/installation/receipt.ts";
import { openRelease } from "../../src/installation/release.ts";
import { newSigner, release } from "./stand-in.ts";

test.runIf(HAS_SMALL_DISK)("no executable is brought to where none runs, and nothing of it is left", () => {
  using disk = new SmallDisk(1_048_576);
  execFileSync("mount", ["-o", "remount,noexec", disk.path]);
  const signer = newSigner();
  const file = release(join(disk.path, "r"), { version: "1.0.0", signer, script: "#!/bin/sh\n" });
  const library = new Library(join(disk.path, "femtoclaw"));
  mkdirSync(library.path);
  const source = { release: openRelease(file, signer.pem) };
  // It comes to nothing before a receipt is looked at.
  expect(() => library.stage("1-1.0.0", source, {} as Receipt)).toThrow(/no program runs from .*deployments/);
  library.finish();
  expect(readdirSync(join(library.path, "deployments"))).toEqual([]);
});
