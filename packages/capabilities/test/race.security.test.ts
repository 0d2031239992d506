import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Facts } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { attack } from "./name-exchange.ts";
import { grants, Playground, SECRET } from "./playground.ts";

/** A run by hand takes more: FEMTOCLAW_RACE_ROUNDS=20000. */
const ROUNDS = Number(process.env["FEMTOCLAW_RACE_ROUNDS"] ?? 4_000);

/** What policy would say: only what really lies in the workspace. */
const within =
  (folder: string) =>
  ({ questions: [question] }: Facts): boolean =>
    question.kind === "path" && question.path.startsWith(`${folder}/`);

describe("while names are exchanged", () => {
  it.each([
    ["a folder", "flip", "link", "../outside", "flip/file"],
    ["the file itself", "file", "link", "../outside/file", "file"],
  ])("fs_read never gives what lies outside: %s", async (_, one, other, target, path) => {
    using place = new Playground();
    place.file(path, "harmless");
    symlinkSync(target.replace("..", place.root), join(place.workspace, other));
    let read = 0;
    {
      await using _attack = await attack(join(place.workspace, one), join(place.workspace, other));
      for (let round = 0; round < ROUNDS; round += 1) {
        const outcome = await place.call("fs_read", { path }, { decide: within(place.workspace) });
        if (outcome?.event !== "succeeded") continue;
        read += 1;
        expect(outcome.result["content"]).toBe("harmless");
      }
    }
    // The attack must not have kept every single read away, else nothing was tried.
    expect(read).toBeGreaterThan(0);
  });

  it.each(["create", "overwrite", "append"])("fs_write never writes outside: %s", async (mode) => {
    using place = new Playground();
    place.file("flip/file", "");
    symlinkSync(join(place.root, "outside"), join(place.workspace, "link"));
    let written = 0;
    {
      await using _attack = await attack(join(place.workspace, "flip"), join(place.workspace, "link"));
      for (let round = 0; round < ROUNDS; round += 1) {
        const path = mode === "create" ? `flip/new-${round}` : "flip/file";
        const outcome = await place.call("fs_write", { path, content: "x", mode }, { decide: within(place.workspace) });
        if (outcome?.event === "succeeded") written += 1;
      }
    }
    expect(written).toBeGreaterThan(0);
    expect(readdirSync(join(place.root, "outside"))).toEqual(["file"]);
    expect(readFileSync(join(place.root, "outside/file"), "utf8")).toBe(SECRET);
    const left = readdirSync(place.workspace, { recursive: true, encoding: "utf8" });
    expect(left.filter((name) => name.includes(".femtoclaw-"))).toEqual([]);
  });

  it("fs_write never follows a file that becomes a link", async () => {
    using place = new Playground();
    place.file("out/file", "");
    symlinkSync(join(place.root, "outside/file"), join(place.workspace, "out/link"));
    {
      await using _attack = await attack(join(place.workspace, "out/file"), join(place.workspace, "out/link"));
      for (let round = 0; round < ROUNDS; round += 1) {
        const mode = round % 2 === 0 ? "overwrite" : "append";
        await place.call("fs_write", { path: "out/file", content: "x", mode }, { decide: within(place.workspace) });
        // A replaced link would end the race, so that it is put back.
        if (!["file", "link"].some((name) => lstatSync(join(place.workspace, "out", name)).isSymbolicLink())) break;
      }
    }
    expect(readFileSync(join(place.root, "outside/file"), "utf8")).toBe(SECRET);
  });
});

describe("what is no regular file", () => {
  it.each(["fs_read", "fs_write", "fs_list"])("is refused by %s without being touched", async (tool) => {
    using place = new Playground();
    execFileSync("mkfifo", [join(place.workspace, "pipe")]);
    const server = createServer().listen(join(place.workspace, "socket"));
    await once(server, "listening");
    for (const path of ["pipe", "socket", "/dev/null", "/dev/zero", "/dev/tty", "/proc/self/mem"]) {
      expect(await place.facts(tool, { path, content: "x", mode: "append" })).toMatchObject({ ok: false });
    }
    server.close();
  });
});

describe("a name that means something else", () => {
  it("is refused for a folder that is gone", async () => {
    using place = new Playground();
    const folder = join(place.workspace, "gone");
    mkdirSync(folder);
    const descriptor = openSync(folder, "r");
    rmdirSync(folder);
    expect(await place.facts("fs_list", { path: `/proc/self/fd/${descriptor}/` })).toMatchObject({ ok: false });
    mkdirSync(`${folder} (deleted)`);
    expect(await place.facts("fs_list", { path: `/proc/self/fd/${descriptor}/` })).toMatchObject({ ok: false });
    closeSync(descriptor);
  });

  it("is refused for a file in another file tree", async () => {
    using place = new Playground();
    const file = place.file("out/file", "mine");
    const command = `echo "${SECRET}" > "${file}"; echo $$; exec sleep 60`;
    const tree = ["--dev-bind", "/", "/", "--tmpfs", join(place.workspace, "out"), "--die-with-parent"];
    const child = spawn("bwrap", [...tree, "--", "sh", "-c", command], { stdio: ["ignore", "pipe", "inherit"] });
    const [inner] = await once(child.stdout, "data");
    const taken = await place.facts("fs_read", { path: `/proc/${String(inner).trim()}/root${file}` });
    child.kill("SIGKILL");
    expect(taken).toMatchObject({ ok: false, reason: expect.stringMatching(/by its own name|may not be examined/) });
  });
});

/** Makes one call in a process of its own, with a disk of 64 KiB that nobody else sees, and tells what is left on it. */
function onSmallDisk(mode: string): { outcome: unknown; left: Record<string, number> } {
  const disk = mkdtempSync(join(tmpdir(), "femtoclaw-disk-"));
  const code = `
    import { readdirSync, statSync, writeFileSync } from "node:fs";
    const { Playground } = await import(${JSON.stringify(join(import.meta.dirname, "playground.ts"))});
    const [, disk, mode] = process.argv;
    using place = new Playground();
    writeFileSync(disk + "/file", "old");
    const path = disk + (mode === "create" ? "/new" : "/file");
    const outcome = await place.call("fs_write", { path, content: "x".repeat(200_000), mode });
    const left = Object.fromEntries(readdirSync(disk).map((name) => [name, statSync(disk + "/" + name).size]));
    console.log(JSON.stringify({ outcome, left }));`;
  const bwrap = ["--dev-bind", "/", "/", "--size", "65536", "--tmpfs", disk, "--"];
  const node = [process.execPath, "--input-type=module", "-e", code, disk, mode];
  try {
    return JSON.parse(execFileSync("bwrap", [...bwrap, ...node], { encoding: "utf8" }));
  } finally {
    rmdirSync(disk);
  }
}

describe("on a full disk", () => {
  it.each(["create", "overwrite", "append"])("fs_write fails to %s, says so and leaves nothing", (mode) => {
    const { outcome, left } = onSmallDisk(mode);
    expect(outcome).toMatchObject({
      event: "failed",
      code: "FEMTO_OS_REFUSED",
      reason: expect.stringContaining("ENOSPC"),
    });
    expect(Object.keys(left)).toEqual(["file"]);
    if (mode !== "append") expect(left["file"]).toBe(3);
  });
});

/** What a child may see follows from the same authority that policy is made of. */
describe("what is denied to the file capabilities", () => {
  it("is out of a child's reach too, by any way there", async () => {
    using place = new Playground();
    place.file("secrets/key", SECRET);
    place.file("femtoclaw.toml", SECRET);
    mkdirSync(join(place.workspace, "kept"));
    symlinkSync("secrets", join(place.workspace, "alias"));
    place.authority = {
      ...place.authority,
      allow: { read: [], write: grants(place.workspace), run: [] },
      deny: { read: grants(join(place.workspace, "secrets")), write: grants(join(place.workspace, "kept")), run: [] },
      floor: [join(place.workspace, "femtoclaw.toml"), join(place.root, "outside")],
    };
    const script =
      "cat secrets/key alias/key femtoclaw.toml ../outside/file; mv secrets s; cat s/key; echo x > kept/x; mv kept k";
    const outcome = await place.call("process_exec", { bin: "sh", argv: ["-c", script] });
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
    expect(readdirSync(join(place.workspace, "kept"))).toEqual([]);
    expect(readFileSync(join(place.workspace, "secrets/key"), "utf8")).toBe(SECRET);
  });

  it("is not opened by descriptors that a call holds", async () => {
    using place = new Playground();
    const held = openSync(join(place.root, "outside/file"), "r");
    const outcome = await place.call("process_exec", {
      bin: "sh",
      argv: ["-c", "ls -l /proc/self/fd; cat /proc/self/fd/*"],
    });
    closeSync(held);
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
  });
});
