/**
 * Whatever is wrong before a host stands: it says where, what was expected and what helps, it executes
 * nothing, and the journal keeps every byte.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CONFIGURATION, type Finished, Playground } from "./playground.ts";

const isRoot = process.getuid?.() === 0;
/** Rows of tests with this in their names give something away, and are skipped for anybody but root. */
const GIVEN_AWAY = /another user/;
const WHY_SKIPPED = "only root can give files to another user";

/** Every file of the state directory with its digest; LevelDB's own log and lock, and what failed, say nothing of history. */
function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const counted = files.filter(
    ({ name, parentPath }) => !/^LOG(\.old)?$|^LOCK$|^host\.log$/.test(name) && parentPath !== join(folder, "failures"),
  );
  return Object.fromEntries(
    counted.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

test("no error commands a terminal, as JSON neither", async () => {
  await using place = new Playground();
  for (const json of [["--json"], []]) {
    const { code, stdout, stderr } = await place.run([...json, "audit", "verify", "--key", "\u202e\u009b31m\u200b"]);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain("202e");
    expect(stdout + stderr).not.toMatch(/[\u202e\u009b\u200b]/);
  }
});

/** A project with some history, whose host has ended in order. */
async function withHistory(): Promise<Playground> {
  const place = new Playground();
  const host = await place.up();
  await place.run(["send"], { input: '{"message":{"content":"kept"}}\n'.repeat(200) });
  host.kill("SIGTERM");
  await host.ended;
  return place;
}

/** Tries to start in the foreground and in the background; both must refuse in the same way. */
async function refused(place: Playground, args: readonly string[] = []): Promise<Finished> {
  const finished = await place.run([...args, "up"]);
  const detached = await place.run([...args, "up", "--detach"]);
  expect(detached.code).toBe(finished.code);
  expect(finished.stdout + detached.stdout).toBe("");
  expect(finished.stderr).toMatch(/^ {2}fix: \S.+/m);
  return finished;
}

describe("a configuration", () => {
  let place: Playground;
  let before: Record<string, string>;
  beforeAll(async () => {
    place = await withHistory();
    before = digests(place.state);
    expect(Object.keys(before).length).toBeGreaterThan(2);
  });
  afterAll(() => place[Symbol.asyncDispose]());

  test.each([
    ["broken TOML", 'workspace = "."\n[allow\n', /femtoclaw\.toml:2:7: /],
    ["TOML with a duplicate key", 'workspace = "."\nworkspace = "."\n', /femtoclaw\.toml:2:\d+: /],
    ["an unknown key", `${CONFIGURATION}\n[alow]\n`, /femtoclaw\.toml:\d+:\d+: .*alow.*allow/],
    [
      "an unknown key in a table",
      CONFIGURATION.replace("[deny]\nread", "[deny]\nraed"),
      /femtoclaw\.toml:12:1: .*raed.*read/,
    ],
    ["a wrong type", CONFIGURATION.replace('read = ["."]', "read = 7"), /femtoclaw\.toml:8:\d+: .*/],
    [
      "a program that is not there",
      CONFIGURATION.replace("cat =", "no-such-program ="),
      /femtoclaw\.toml:10:\d+: .*no-such-program/,
    ],
    [
      "a shell without `unsafe`",
      CONFIGURATION.replace('cat = ["*"]', 'bash = ["*"]'),
      /femtoclaw\.toml:10:\d+.*bash.*unsafe = true/,
    ],
    [
      "an unknown capability",
      CONFIGURATION.replace("fs_list = false", "fs_lsit = true"),
      /femtoclaw\.toml.*fs_lsit.*fs_list/,
    ],
    [
      "a workspace that is not there",
      CONFIGURATION.replace('workspace = "."', 'workspace = "nowhere"'),
      /femtoclaw\.toml:1:\d+: .*nowhere/,
    ],
    [
      "a write grant over allowed programs",
      CONFIGURATION.replace('write = ["out"]', 'write = ["/usr/bin"]'),
      /femtoclaw\.toml:9:\d+: .*could replace/,
    ],
    [
      "a runtime folder with too long a path",
      CONFIGURATION.replace("../run", `../${"r".repeat(120)}`),
      /FEMTO_SOCKET_PATH.*at most 100/,
    ],
    ["bytes that are not UTF-8", Buffer.from([0x61, 0x3d, 0x22, 0xff, 0x22, 0x0a]), /femtoclaw\.toml:1:1: .*UTF-8/],
  ])("with %s is refused at its place", async (_name, configuration, expected) => {
    writeFileSync(join(place.project, "femtoclaw.toml"), configuration);
    const { code, stderr } = await refused(place);
    expect(stderr).toMatch(expected);
    expect(code).toBe(78);
    expect(digests(place.state)).toEqual(before);
    // What an operator has to correct is no failure of the host.
    expect(existsSync(join(place.state, "failures"))).toBe(false);
  });

  test("that nobody trusted, or that changed since, is not loaded", async () => {
    place.configure(CONFIGURATION);
    const env = { FEMTOCLAW_CONFIG: undefined };
    expect(await place.run(["up"], { env })).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("femtoclaw trust"),
    });
    expect((await place.run(["trust"], { env })).code).toBe(0);
    mkdirSync(join(place.project, "policy"));
    place.write("p/policy/extra.cedar", "permit (principal, action, resource);\n");
    expect(await place.run(["up"], { env })).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("has changed"),
    });
    expect(digests(place.state)).toEqual(before);
  });

  test.for([
    ["can be written by others", (path: string) => chmodSync(path, 0o666), "can be changed by others"],
    ["belongs to another user", (path: string) => chownSync(path, 65_534, 65_534), "belongs to another user"],
  ] as const)("that %s is not loaded", async ([name, spoil, expected], { skip }) => {
    skip(GIVEN_AWAY.test(name) && !isRoot, WHY_SKIPPED);
    const path = place.write("p/spoilt.toml", CONFIGURATION);
    chmodSync(path, 0o600);
    chownSync(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    spoil(path);
    const { code, stderr } = await refused(place, ["--config", path]);
    expect(code).toBe(78);
    expect(stderr).toContain(expected);
    expect(digests(place.state)).toEqual(before);
  });
});

describe("a state directory", () => {
  let place: Playground;
  beforeAll(async () => {
    place = await withHistory();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  test.for([
    ["of another user", (path: string) => chownSync(path, 65_534, 65_534), /FEMTO_STATE_OWNER.*belongs to user 65534/],
    ["that others may write to", (path: string) => chmodSync(path, 0o777), /FEMTO_STATE_MODE.*mode 777.*chmod 700/],
  ] as const)("%s is refused, and nothing in it changes", async ([name, spoil, expected], { skip }) => {
    skip(GIVEN_AWAY.test(name) && !isRoot, WHY_SKIPPED);
    const before = digests(place.state);
    spoil(place.state);
    onTestFinished(() => {
      chownSync(place.state, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
      chmodSync(place.state, 0o700);
    });
    const { code, stderr } = await refused(place);
    expect(stderr).toMatch(expected);
    expect(code).toBe(70);
    expect(digests(place.state)).toEqual(before);
  });

  test("with a damaged journal is refused with file and byte, and the evidence stays", async () => {
    // Many starts make tables; the newest records are in the log.
    for (let boot = 0; boot < 2; boot += 1) {
      const host = await place.up();
      host.kill("SIGKILL");
      await host.ended;
    }
    const journal = join(place.state, "journal");
    const files = readdirSync(journal);
    const log =
      files
        .filter((name) => name.endsWith(".log"))
        .sort()
        .at(-1) ?? "";
    const table = files.find((name) => name.endsWith(".ldb")) ?? "";
    const manifest = files.find((name) => name.startsWith("MANIFEST")) ?? "";
    expect([log, table, manifest]).not.toContain("");
    for (const name of [log, table, manifest]) {
      const path = join(journal, name);
      const sound = readFileSync(path);
      expect(sound.length).toBeGreaterThan(20);
      const damaged = Buffer.from(sound);
      const at = Math.floor(sound.length / 3);
      damaged.writeUInt8((damaged.readUInt8(at) ^ 0x41) & 0xff, at);
      writeFileSync(path, damaged);
      try {
        const before = digests(place.state);
        const { code, stderr } = await refused(place);
        expect(code, stderr).toBe(70);
        expect(stderr).toContain("FEMTO_JOURNAL_CORRUPT");
        expect(stderr).toContain(name);
        for (const args of [["replay"], ["executions", "list"], ["call", "fs_read", "{}", "--embedded"]]) {
          expect((await place.run(args)).code).toBe(70);
        }
        expect(digests(place.state)).toEqual(before);
        expect(readdirSync(join(place.state, "failures")).length).toBeGreaterThan(0);
      } finally {
        writeFileSync(path, sound);
      }
    }
    const host = await place.up();
    host.kill("SIGTERM");
    expect(await host.ended).toBe(0);
  });

  test("of a journal without its CURRENT is not taken for an empty one", async () => {
    const [current, elsewhere] = [join(place.state, "journal", "CURRENT"), join(place.root, "CURRENT")];
    renameSync(current, elsewhere);
    onTestFinished(() => renameSync(elsewhere, current));
    const before = digests(place.state);
    expect((await refused(place)).code).toBe(70);
    expect(digests(place.state)).toEqual(before);
  });
});

describe("the folder of the sockets", () => {
  const spoilers: readonly (readonly [string, (place: Playground) => void, RegExp])[] = [
    ["others may enter", ({ runtime }) => mkdirSync(runtime, { mode: 0o755 }), /has mode 755.*\n.*chmod 700/],
    [
      "another user owns",
      ({ runtime }) => {
        mkdirSync(runtime, { mode: 0o700 });
        chownSync(runtime, 65_534, 65_534);
      },
      /belongs to user 65534/,
    ],
    ["is a file", ({ runtime }) => writeFileSync(runtime, ""), /run.*(not a folder|cannot be used)/],
    [
      "lies in a folder that another user owns",
      (place) => {
        place.configure(CONFIGURATION.replace("../run", "../shared/run"));
        chownSync(place.folder("shared"), 65_534, 65_534);
        chmodSync(join(place.root, "shared"), 0o777);
      },
      /shared, in which the sockets would be, belongs to user 65534\n {2}fix: Set \[host\]\.runtime_dir/,
    ],
    [
      "lies in a folder that others can change",
      (place) => {
        place.configure(CONFIGURATION.replace("../run", "../shared/run"));
        chmodSync(place.folder("shared"), 0o777);
      },
      /shared, in which the sockets would be, can be changed by others/,
    ],
    [
      "holds something else in a socket's place",
      (place) => {
        mkdirSync(place.runtime, { mode: 0o700 });
        writeFileSync(join(place.runtime, "agent.sock"), "precious");
      },
      /agent\.sock cannot be used/,
    ],
  ];

  test.for(spoilers)("that %s is refused before anything begins", async ([name, spoil, expected], { skip }) => {
    skip(GIVEN_AWAY.test(name) && !isRoot, WHY_SKIPPED);
    await using place = new Playground();
    spoil(place);
    const { code, stderr } = await place.run(["up"]);
    expect(stderr).toMatch(expected);
    expect(code).toBe(78);
    expect(existsSync(place.state)).toBe(false);
  });

  test("is refused by clients too, so that nobody can play the host", async () => {
    await using place = new Playground(CONFIGURATION.replace("../run", "../shared/run"));
    chmodSync(place.folder("shared"), 0o777);
    mkdirSync(join(place.root, "shared", "run"), { mode: 0o700 });
    const heard: string[] = [];
    const impostor = createServer((socket) => socket.on("data", (chunk) => heard.push(String(chunk))));
    await new Promise<void>((resolve) => impostor.listen(join(place.root, "shared/run/agent.sock"), resolve));
    const { code, stderr } = await place.run(["call", "fs_read", '{"path":"my secret plans"}']);
    impostor.close();
    expect(code).toBe(78);
    expect(stderr).toContain("FEMTO_SOCKET_PATH");
    expect(heard).toEqual([]);
  });
});
