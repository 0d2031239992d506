/** The lock of an installation, while others take the library away and make it anew. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { Library } from "../../src/installation/library.ts";
import { TemporaryHome } from "../configuration/temporary-home.ts";

test("is not held on a file that was removed while it was being locked", () => {
  using home = new TemporaryHome();
  const path = home.folder("library");
  const { exec } = DatabaseSync.prototype;
  onTestFinished(() => void Object.assign(DatabaseSync.prototype, { exec }));
  DatabaseSync.prototype.exec = function (sql) {
    // The file is open by now, and not locked yet.
    rmSync(path, { recursive: true });
    mkdirSync(path);
    writeFileSync(join(path, "installation.lock"), "");
    exec.call(this, sql);
  };
  expect(() => new Library(path).lock()).toThrow(expect.objectContaining({ code: "FEMTO_INSTALL_BUSY" }));
  Object.assign(DatabaseSync.prototype, { exec });
  new Library(path).lock()[Symbol.dispose]();
});
