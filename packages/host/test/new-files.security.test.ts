/** What commands write where they are told to, on a disk that is full and where something is in the way: all of it, or nothing. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Playground } from "./playground.ts";

let place: Playground;
let writing: readonly string[][] = [];
beforeAll(async () => {
  place = new Playground();
  await place.up();
  await place.propose("fs_write", { path: "out/a", content: "x".repeat(50_000), mode: "create" });
  await place.down();
  const { value: snapshots } = await place.json<number[]>(["snapshots", "list"]);
  writing = [
    ["audit", "prove", "1"],
    ["audit", "export", "--format", "jsonl"],
    ["audit", "export", "--format", "tiles", "--with-values"],
    ["snapshots", "export", String(snapshots.at(-1))],
    ["inspect", "export"],
    ["policy", "learn"],
    ["report"],
  ];
});
afterAll(() => place[Symbol.asyncDispose]());

const to = (command: readonly string[], path: string): readonly string[] =>
  command[0] === "inspect" ? [...command, "--html", path] : [...command, "--out", path];

/** Refused with a code and a next step, and not as a fault of FemtoClaw. */
const REFUSED = { code: 70, stderr: expect.stringMatching(/^femtoclaw: FEMTO_EXPORT_FAILED: .*\n {2}fix: .*\n$/) };

test.runIf(HAS_SMALL_DISK)(
  "on a full disk there is nothing of it afterwards, and it succeeds once there is room",
  async () => {
    using disk = new SmallDisk(2_097_152);
    for (const command of writing) {
      disk.fill();
      const path = join(disk.path, "written");
      expect([command, await place.run(to(command, path))]).toEqual([command, expect.objectContaining(REFUSED)]);
      expect([command, readdirSync(disk.path)]).toEqual([command, ["ballast"]]);
      disk.clear();
      expect([command, (await place.run(to(command, path))).code]).toEqual([command, 0]);
      for (const name of readdirSync(disk.path)) place.remove(join(disk.path, name));
    }
  },
);

test("what is in the way stays, and nothing is written beside it", async () => {
  for (const command of writing) {
    const path = place.write("written", "mine");
    const { code, stderr } = await place.run(to(command, path));
    expect([command, code, stderr]).toEqual([
      command,
      70,
      expect.stringContaining(`${path} is there already\n  fix: `),
    ]);
    expect(readFileSync(path, "utf8")).toBe("mine");
    expect(readdirSync(place.root).filter((name) => name.startsWith("written"))).toEqual(["written"]);
  }
});

describe("of what is written in several parts", () => {
  test.each([
    { command: ["audit", "prove", "1"], beside: ".record" },
    { command: ["audit", "export", "--format", "jsonl"], beside: ".checkpoint" },
    { command: ["audit", "export", "--format", "jsonl", "--with-values"], beside: ".values.jsonl" },
    { command: ["audit", "export", "--format", "tiles", "--with-values"], beside: ".values.jsonl" },
  ])("$command has all parts, or none where $beside is taken", async ({ command, beside }) => {
    const path = join(place.root, "parts");
    place.write(`parts${beside}`, "mine");
    const { code, stderr } = await place.run(to(command, path));
    expect([code, stderr]).toEqual([70, expect.stringContaining(`FEMTO_EXPORT_FAILED: ${path}${beside} `)]);
    expect(readdirSync(place.root).filter((name) => name.startsWith("parts"))).toEqual([`parts${beside}`]);
    place.remove(`${path}${beside}`);
    expect((await place.run(to(command, path))).code).toBe(0);
    for (const name of readdirSync(place.root)) if (name.startsWith("parts")) place.remove(join(place.root, name));
  });
});

describe.runIf(HAS_SMALL_DISK)("a project that is begun on a full disk", () => {
  test("is begun once there is room, as if nothing had been tried", async () => {
    using disk = new SmallDisk(262_144);
    disk.fill();
    const { code, stderr } = await place.run(["init", disk.path]);
    expect([code, stderr]).toEqual([
      78,
      expect.stringMatching(/FEMTO_CONFIG_INVALID: .* cannot be written \(ENOSPC\)\n/),
    ]);
    disk.clear();
    expect((await place.run(["init", disk.path])).code).toBe(0);
  });

  test("is so too where what is trusted cannot be kept", async () => {
    using disk = new SmallDisk(262_144);
    const env = { XDG_STATE_HOME: disk.path };
    const project = place.folder("untrusted");
    disk.fill();
    const { code, stderr } = await place.run(["init", project], { env });
    expect([code, stderr]).toEqual([
      69,
      expect.stringMatching(/FEMTO_SURROUNDINGS: .*trusted.*\(ENOSPC\)\n {2}fix: Free/),
    ]);
    disk.clear();
    expect((await place.run(["init", project], { env })).code).toBe(0);
  });
});
