/** The Containerfile, for which the tests have no builder: all that it names is there, and laid out where it says. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneScript, newSigner, release } from "../../packages/host/test/installation/stand-in.ts";
import { ROOT } from "../binary/locked-file.ts";

const LAUNCH = join(ROOT, "packages/host/src/launch.js");
const EXECUTABLE = "femtoclaw-linux-x64";

/** Instructions with their words; lines that go on are one. */
const instructions = readFileSync(join(ROOT, "Containerfile"), "utf8")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => {
    const [name = "", ...rest] = line.trim().split(/\s+/);
    return { name, text: rest.join(" ") };
  });
const of = (name: string): string[] => instructions.filter((one) => one.name === name).map(({ text }) => text);
/** The words of an instruction that runs a program without a shell. */
const words = (text: string): string[] => JSON.parse(text.slice(text.indexOf("["))) as string[];

describe("the Containerfile", () => {
  let folder: string;
  let planned: string[];
  const [mount = "", ...install] =
    of("RUN")
      .find((text) => text.includes(" install --system"))
      ?.split(/\s+/) ?? [];
  beforeAll(() => {
    folder = mkdtempSync("/tmp/fd-");
    const signer = newSigner();
    writeFileSync(join(folder, "key.pub"), signer.pem);
    const file = release(folder, { version: "1.0.0", signer, script: cloneScript() });
    // The very words, for a user that every machine has, and without doing it.
    const [, command = "", ...options] = install;
    const more = ["--key", join(folder, "key.pub"), "--service-user", "nobody", "--dry-run"];
    const argv = [LAUNCH, "--json", command, file, ...options, ...more];
    const env = { PATH: process.env["PATH"], HOME: folder };
    const said = execFileSync(process.execPath, argv, { env, stdio: ["ignore", "pipe", "inherit"] });
    planned = (JSON.parse(String(said)) as { path: string }[]).map(({ path }) => path);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("installs an executable from the folder that builds fill, which becomes no layer", () => {
    expect(mount).toBe("--mount=type=bind,target=/opt/release");
    expect(install[0]).toBe(`/opt/release/${EXECUTABLE}`);
    expect(of("COPY")).toEqual([]);
    expect(readFileSync(join(ROOT, "tools/build-binary.ts"), "utf8")).toContain("femtoclaw-");
  });

  test("runs what was laid out, as the user that it belongs to", () => {
    const [entry = "", health = ""] = [...of("ENTRYPOINT"), ...of("HEALTHCHECK")];
    const [command, , configuration] = words(entry);
    expect(planned).toEqual(expect.arrayContaining([command, configuration, ...of("VOLUME")]));
    expect(planned).toContain(of("ENV")[0]?.replace("HOME=", ""));
    expect(planned.filter((path) => path.includes("systemd"))).toEqual([]);
    expect(words(health).slice(0, 3)).toEqual(words(entry));
    const user = of("RUN")
      .find((text) => text.startsWith("useradd"))
      ?.split(" ")
      .at(-1);
    expect([user, of("USER")[0]]).toEqual(["femtoclaw", "femtoclaw"]);
    expect(readFileSync(join(ROOT, "docs/guides/installing.md"), "utf8")).toContain(
      of("RUN")
        .find((text) => text.startsWith("useradd"))
        ?.replace("RUN ", ""),
    );
  });

  test("brings the libraries and the program that the Debian package asks for", () => {
    const depends = /DEPENDS = "(.*)"/.exec(readFileSync(join(ROOT, "tools/build-deb.ts"), "utf8"))?.[1] ?? "";
    const names = depends.split(", ").map((text) => text.split(" ")[0] ?? "");
    const [packages = ""] = of("RUN");
    // The C library is every image's own.
    expect(names.filter((name) => name !== "libc6" && !packages.split(" ").includes(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(3);
  });

  test("uses no instruction twice that counts once, and none that runs a shell at the end", () => {
    for (const name of ["FROM", "USER", "ENTRYPOINT", "CMD", "VOLUME"]) expect(of(name)).toHaveLength(1);
    for (const name of ["ENTRYPOINT", "CMD", "HEALTHCHECK"]) expect(of(name)[0]).toContain("[");
    expect(existsSync(join(ROOT, "docs/guides/packages.md"))).toBe(true);
  });
});
