/** One start at a time claims a state directory, whatever became of the one before. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lockClaim } from "@femtoclaw/journal";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { expect, it, onTestFinished } from "vitest";

const HELD = expect.objectContaining({ code: "FEMTO_JOURNAL_LOCKED" });

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "femtoclaw-claim-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

it("is held by one, and by the next once it was given back", () => {
  const root = folder();
  for (let turn = 0; turn < 3; turn += 1) {
    using _ = lockClaim(root);
    expect(() => lockClaim(root)).toThrow(HELD);
  }
  expect(readdirSync(root)).toEqual(["claim.lock"]);
  expect(statSync(join(root, "claim.lock")).size).toBe(0);
});

it("is held against another process, until that is killed", async () => {
  const root = folder();
  const index = new URL("../src/index.ts", import.meta.url);
  const script = `import { lockClaim } from ${JSON.stringify(index.href)};
    globalThis.held = lockClaim(${JSON.stringify(root)}); console.log("held"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  expect(() => lockClaim(root)).toThrow(HELD);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  lockClaim(root)[Symbol.dispose]();
});

it("is refused where its file is not one that can be locked", () => {
  const root = folder();
  const refused = expect.objectContaining({ code: "FEMTO_JOURNAL_WRITE_FAILED" });
  writeFileSync(join(root, "claim.lock"), "no lock of ours ".repeat(100));
  expect(() => lockClaim(root)).toThrow(refused);
  expect(() => lockClaim(join(root, "missing"))).toThrow(refused);
  expect(() => lockClaim(join(root, "missing"))).toThrow(/claim\.lock cannot be locked: ENOENT$/);
});

it.runIf(HAS_SMALL_DISK)("says so where the disk has no inode left for its file", () => {
  using disk = new SmallDisk(1_048_576, 2);
  writeFileSync(join(disk.path, "last"), "");
  expect(() => lockClaim(disk.path)).toThrow(
    expect.objectContaining({
      code: "FEMTO_DISK_FULL",
      message: expect.stringMatching(/claim\.lock cannot be locked: ENOSPC$/),
      fix: expect.stringContaining("`df -i`"),
    }),
  );
  rmSync(join(disk.path, "last"));
  lockClaim(disk.path)[Symbol.dispose]();
});
