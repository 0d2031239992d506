/** What lies where a backup is made and only looks as if an interrupted one had left it. */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WorkFolder } from "../../src/backup/work-folder.ts";

const NOBODY = 65_534;

test("in a folder that all may write to nothing is removed, or made, but what this user alone could have left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fh-"));
  chmodSync(folder, 0o1777);
  const made = join(folder, "made-by-a-link");
  const left = (digit: string, mode: number): string => {
    const path = join(folder, `.femtoclaw-backup.${digit.repeat(8)}-0000-4000-8000-000000000000`);
    mkdirSync(path);
    chmodSync(path, mode);
    return path;
  };
  const [own, open] = [left("1", 0o700), left("2", 0o777)];
  symlinkSync(made, join(open, "claim.lock"));
  const planted = [open];
  if (process.getuid?.() === 0) {
    const another = left("3", 0o700);
    symlinkSync(made, join(another, "claim.lock"));
    chownSync(another, NOBODY, NOBODY);
    planted.push(another);
  }
  const said: string[] = [];
  await using work = await WorkFolder.open(folder, "backup", (line) => said.push(line));
  expect(said).toEqual([`removed ${own}, which an interrupted backup has left`]);
  expect(existsSync(made)).toBe(false);
  expect(readdirSync(folder).map((name) => join(folder, name))).toEqual(expect.arrayContaining(planted));
  expect(existsSync(work.path)).toBe(true);
  rmSync(folder, { recursive: true });
});
