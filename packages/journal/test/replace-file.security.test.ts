import { mkdirSync, readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
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
