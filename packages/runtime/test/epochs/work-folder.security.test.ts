/** What lies where a backup is made and only looks as if an interrupted one had left it. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { WorkFolder } from "../../src/epochs/work-folder.ts";

const NOBODY = 65_534;

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "fh-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("in a folder that all may write to nothing is removed, or made, but what this user alone could have left", async () => {
  const folder = temporary();
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
});

test("of several at once none takes another one's folder, or stumbles over what it leaves", async () => {
  const folder = temporary();
  const work = async (): Promise<void> => {
    for (let rounds = 0; rounds < 40; rounds += 1) {
      await using own = await WorkFolder.open(folder, "backup", () => undefined);
      writeFileSync(join(own.path, "archive"), "x");
      await setImmediate();
      expect(readdirSync(own.path).sort()).toEqual(["archive", "claim.lock"]);
    }
  };
  await Promise.all(Array.from({ length: 4 }, work));
  expect(readdirSync(folder)).toEqual([]);
});

test("what was killed while it removed its folder is removed by the next one", async () => {
  const folder = temporary();
  mkdirSync(join(folder, ".femtoclaw-backup.0b7c5a52-0000-4000-8000-000000000000.gone/epochs"), { recursive: true });
  chmodSync(join(folder, ".femtoclaw-backup.0b7c5a52-0000-4000-8000-000000000000.gone"), 0o700);
  await (await WorkFolder.open(folder, "backup", () => undefined))[Symbol.asyncDispose]();
  expect(readdirSync(folder)).toEqual([]);
});
