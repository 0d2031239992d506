/** The package for Debian, around a file that stands for the executable: what is in it, whose it is, and that it is always the same. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../packages/protocol/src/version.ts";
import { ROOT } from "../binary/locked-file.ts";

const HAS_DPKG = existsSync("/usr/bin/dpkg-deb") || process.env["CI"] === "true";

function inputs(folder: string, names: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  for (const name of names) writeFileSync(join(folder, name), name, { mode: 0o600 });
  return join(folder, names[0] ?? "");
}

const build = (...args: string[]): string =>
  execFileSync(process.execPath, [join(ROOT, "tools/build-deb.ts"), ...args], { stdio: "pipe" })
    .toString()
    .trim();

test.runIf(HAS_DPKG)(
  "holds files of root and a link, runs nothing, and is the same to the byte wherever it is built",
  () => {
    const root = mkdtempSync(join(tmpdir(), "femtoclaw-deb-test-"));
    try {
      const binary = "femtoclaw-linux-x64";
      const names = [
        binary,
        `${binary}.manifest.json`,
        `${binary}.manifest.sig`,
        `${binary}.cdx.json`,
        `${binary}.licenses.txt`,
      ];
      const file = build("--binary", inputs(join(root, "a"), names), "--out", join(root, "one"));
      expect(file).toBe(join(root, `one/femtoclaw_${VERSION}_amd64.deb`));
      const again = inputs(join(root, "elsewhere/b"), names);
      chmodSync(again, 0o777);
      const umask = process.umask(0o077);
      const second = build("--binary", again, "--out", join(root, "two"));
      process.umask(umask);
      expect(readFileSync(second).equals(readFileSync(file))).toBe(true);

      expect(execFileSync("dpkg-deb", ["--field", file, "Architecture"]).toString()).toBe("amd64\n");
      expect(execFileSync("dpkg-deb", ["--field", file, "Installed-Size"]).toString()).toMatch(/^[1-9]\d*\n$/);
      execFileSync("dpkg-deb", ["--control", file, join(root, "control")]);
      // No script and no list of files that an upgrade would leave alone.
      expect(readdirSync(join(root, "control"))).toEqual(["control"]);
      const listed = execFileSync("dpkg-deb", ["--contents", file]).toString().trim().split("\n");
      // Whoever unpacks it over / gives / the mode of its uppermost folder.
      expect(new Set(listed.filter((line) => line.startsWith("d")).map((line) => line.slice(0, 10)))).toEqual(
        new Set(["drwxr-xr-x"]),
      );
      const files = listed
        .filter((line) => !line.startsWith("d"))
        .map((line) => line.replaceAll(/ +/g, " ").split(" "));
      expect(files.map(([mode, owner, , , , name]) => `${mode} ${owner} ${name}`).sort()).toEqual([
        "-rw-r--r-- root/root ./usr/lib/femtoclaw/femtoclaw.manifest.json",
        "-rw-r--r-- root/root ./usr/lib/femtoclaw/femtoclaw.manifest.sig",
        "-rw-r--r-- root/root ./usr/share/doc/femtoclaw/copyright",
        "-rw-r--r-- root/root ./usr/share/doc/femtoclaw/femtoclaw.cdx.json",
        "-rwxr-xr-x root/root ./usr/lib/femtoclaw/femtoclaw",
        "lrwxrwxrwx root/root ./usr/bin/femtoclaw",
      ]);

      rmSync(join(root, "a", `${binary}.manifest.json`));
      expect(() => build("--binary", join(root, "a", binary), "--out", join(root, "one"))).toThrow(/build:binary/);
      expect(() => build("--binary", join(root, "a", "other"), "--out", join(root, "one"))).toThrow(/not named after/);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
);
