/** The journal of a stopped host on a read-only file system, as an auditor mounts it. */
import { readdirSync, statSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readJournal } from "../src/log/read-journal.ts";
import { Playground } from "./playground.ts";

test("is read in a copy, and nothing of it is written to", async () => {
  await using place = new Playground();
  expect((await place.run(["call", "--embedded", "fs_read", '{"path":"notes.txt"}'])).code).toBe(0);
  const journal = join(place.state, "journal");
  const files = () => readdirSync(journal).map((name) => [name, statSync(join(journal, name)).mtimeMs]);
  const before = files();
  const { access } = fs;
  fs.access = async (path, mode) => {
    if (String(path).startsWith(place.state)) throw Object.assign(new Error("EROFS: access"), { code: "EROFS" });
    await access(path, mode);
  };
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.access = access;
    syncBuiltinESMExports();
  });
  const types: string[] = [];
  {
    await using opened = await readJournal(place.state);
    for await (const { type } of opened.reader.read(0, opened.reader.size)) types.push(type);
  }
  expect(types).toContain("boot.started");
  expect(files()).toEqual(before);
});
