import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { replaceFile } from "../src/state-directory/replace-file.ts";
import { temporaryDirectory } from "./journal-fixture.ts";

test("a file is written beside what has the name of one that was abandoned, and cannot be removed", async () => {
  const folder = await temporaryDirectory();
  const left = join(folder, "00000000-0000-0000-0000-000000000000.next");
  mkdirSync(left);
  utimesSync(left, 1_000_000_000, 1_000_000_000);
  await replaceFile(folder, "file", "new");
  expect(readFileSync(join(folder, "file"), "utf8")).toBe("new");
});

/** Sets the clock of this process by so much; the times of files stay those of the system. */
function setClock(byMs: number): void {
  const now = Date.now();
  const spy = vi.spyOn(Date, "now").mockReturnValue(now + byMs);
  onTestFinished(() => spy.mockRestore());
}

test.each([
  ["ahead", 86_400_000],
  ["back", -86_400_000],
] as const)(
  "a clock that is set %s lets nobody remove what a running process writes, or keep what an ended one left",
  async (_, byMs) => {
    const folder = await temporaryDirectory();
    const uuid = "00000000-0000-0000-0000-00000000000";
    // No process has the last number: the kernel counts to 4194304 at most.
    const [written, left, older] = [`${uuid}1.${process.pid}.next`, `${uuid}2.4194305.next`, `${uuid}3.next`] as const;
    for (const name of [written, left, older]) writeFileSync(join(folder, name), "");
    setClock(byMs);
    await replaceFile(folder, "file", "new");
    const stays = [written, left, older].map((name) => existsSync(join(folder, name)));
    expect(stays).toEqual([true, false, false]);
  },
);
