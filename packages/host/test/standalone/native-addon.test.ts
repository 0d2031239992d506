/** Native code as the executable loads it where no file without a name can be loaded; the other way is driven as a whole. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { loadFromOwnFolder } from "../../src/standalone/native-addon.ts";

const journal = createRequire(import.meta.resolve("@femtoclaw/journal"));
const prebuilt = join(dirname(journal.resolve("classic-level")), `prebuilds/linux-${process.arch}`);

it("is loaded from a folder that is gone afterwards, also where it is no native code", () => {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-native-"));
  try {
    const file = readdirSync(prebuilt).find((name) => !name.includes("musl")) ?? "";
    expect(loadFromOwnFolder(folder, readFileSync(join(prebuilt, file)))).toHaveProperty("db_open");
    expect(readdirSync(folder)).toEqual([]);
    expect(() => loadFromOwnFolder(folder, Buffer.from("no native code"))).toThrow();
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
