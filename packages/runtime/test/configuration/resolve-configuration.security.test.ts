/** Attacks on what a configuration resolves to: links, search paths, grants that would widen themselves. */
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Configuration, FemtoError } from "@femtoclaw/protocol";
import { HAS_SMALL_DISK } from "@femtoclaw/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveConfiguration } from "../../src/configuration/resolve-configuration.ts";
import type { ResolvedConfiguration } from "../../src/configuration/resolved-configuration.ts";

let root: string;
let project: string;
let bin: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femto-")));
  project = join(root, "project");
  bin = join(root, "bin");
  mkdirSync(project);
  mkdirSync(bin);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function program(path: string, mode = 0o755): void {
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, mode);
}

function resolve(configuration: Configuration): ResolvedConfiguration {
  return resolveConfiguration({
    configuration: { search_path: [bin], ...configuration },
    baseDirectory: project,
    sourceOf: (pointer) => pointer,
    ownPaths: [join(project, "femtoclaw.toml"), join(project, "policy")],
    environment: { HOME: join(root, "home"), PATH: project },
  });
}

function faultsOf(configuration: Configuration): string {
  try {
    resolve(configuration);
  } catch (error) {
    if (error instanceof FemtoError) return error.message;
    throw error;
  }
  return "";
}

describe("names", () => {
  test.runIf(HAS_SMALL_DISK).each([
    // As a file system does that takes capital letters for small ones, and one that puts accents together or apart.
    ["notes", "NOTES"],
    ["caf\u00e9", "cafe\u0301"],
    ["cafe\u0301", "caf\u00e9"],
  ])("that mean one thing as %s and %s are refused where calls reach files", (name, other) => {
    for (const one of [name, other]) mkdirSync(join(project, one));
    expect(faultsOf({ allow: { read: ["."] } })).toBe("");
    execFileSync("mount", ["--bind", join(project, name), join(project, other)]);
    try {
      const faults = faultsOf({ allow: { read: ["."] }, ask: { write: [name] }, deny: { read: [name] } });
      expect(faults).toContain("another name of the same");
      for (const place of ["/workspace", "/allow/read/0", "/ask/write/0", "/deny/read/0"])
        expect(faults).toContain(place);
    } finally {
      execFileSync("umount", [join(project, other)]);
    }
  });

  test("are taken for two where they are, also when one file has both", () => {
    writeFileSync(join(project, "a"), "");
    linkSync(join(project, "a"), join(project, "A"));
    symlinkSync(join(project, "a"), join(project, "B"));
    writeFileSync(join(project, "b"), "");
    writeFileSync(join(project, "123"), "");
    expect(faultsOf({ allow: { read: [".", "a", "123"] } })).toBe("");
  });
});

describe("a name that looks like one that is there", () => {
  test.each([
    ["caf\u00e9", "cafe\u0301", "cafe\\u0301"],
    ["cafe\u0301", "caf\u00e9", "caf\\u00e9"],
    ["\u{1d15e}", "\u{1d157}\u{1d165}", "\\U0001d157\\U0001d165"],
  ])("%s is refused, because to deny it would deny nothing", (written, there, shown) => {
    mkdirSync(join(project, there));
    for (const mood of ["deny", "ask", "allow"]) {
      for (const path of [written, `${written}/below`]) {
        const faults = faultsOf({ [mood]: { read: [path] } });
        expect(faults).toContain(`/${mood}/read/0: \`${path}\` is not there, but a name that looks the same is`);
        expect(faults).toContain(`write "${shown}"`);
      }
    }
    expect(faultsOf({ deny: { read: [there, `${there}/below`] } })).toBe("");
    mkdirSync(join(project, written));
    expect(faultsOf({ deny: { read: [written, there] } })).toBe("");
  });

  test.each([
    ["secrets\u200b", "secrets"],
    ["secrets\u00a0", "secrets"],
    ["secrets ", "secrets"],
    [" secrets", "secrets"],
    ["\ufeffsecrets", "secrets"],
    ["sec\u202erets", "secrets"],
    ["my\u2003secrets", "my secrets"],
    ["caf\u00e9\u200b", "cafe\u0301"],
  ])("%j is refused unless it is there", (written, meant) => {
    expect(faultsOf({ deny: { read: [written] } })).toBe("");
    mkdirSync(join(project, meant));
    const refused = " is not there, but a name that looks the same is; if it is meant, write ";
    for (const path of [written, `${written}/below`]) expect(faultsOf({ deny: { read: [path] } })).toContain(refused);
    mkdirSync(join(project, written));
    expect(faultsOf({ deny: { read: [written] } })).toBe("");
  });

  test("a name of which there is none yet may be denied", () => {
    expect(faultsOf({ deny: { read: ["caf\u00e9", "na\u0301dir/caf\u00e9", "\u200b", " ", "two words"] } })).toBe("");
  });
});

describe("programs", () => {
  test("a harmless name that leads to a shell shows the shell", () => {
    symlinkSync("/bin/sh", join(bin, "harmless"));
    const [grant] = resolve({ allow: { run: { harmless: ["x"] } } }).authority.allow.run;
    expect(grant).toMatchObject({ path: join(bin, "harmless"), realPath: realpathSync("/bin/sh") });
  });

  test("$PATH and the working directory find nothing", () => {
    program(join(project, "planted"));
    expect(faultsOf({ allow: { run: { planted: ["x"] } } })).toContain("there is no program `planted`");
  });

  test("the first folder of search_path wins, and a file that cannot be executed is no program", () => {
    const other = join(root, "other");
    mkdirSync(other);
    program(join(bin, "tool"), 0o644);
    program(join(other, "tool"));
    const [grant] = resolve({ search_path: [bin, other], allow: { run: { tool: ["x"] } } }).authority.allow.run;
    expect(grant?.path).toBe(join(other, "tool"));
  });

  test.each(["", ".", "..", "../bin/tool", "bin/tool", "tool/", "tool\0", "/bin/../bin/tool", "//bin//tool"])(
    "%j names no program",
    (name) => {
      program(join(bin, "tool"));
      expect(faultsOf({ allow: { run: { [name]: ["x"] } } })).toContain("expected the name of a program");
    },
  );

  test("an absolute path counts only in a folder of search_path", () => {
    program(join(project, "tool"));
    program(join(bin, "tool"));
    expect(faultsOf({ allow: { run: { [join(project, "tool")]: ["x"] } } })).toContain(
      "is not in a folder of search_path",
    );
    expect(resolve({ allow: { run: { [join(bin, "tool")]: ["x"] } } }).authority.allow.run).toHaveLength(1);
  });

  test("folders, dangling links and pipes are no programs", () => {
    mkdirSync(join(bin, "folder"));
    symlinkSync("/nowhere", join(bin, "dangling"));
    expect(faultsOf({ allow: { run: { folder: ["x"] } } })).toContain("there is no program");
    expect(faultsOf({ allow: { run: { dangling: ["x"] } } })).toContain("there is no program");
  });

  test("__proto__ is a name like any other", () => {
    const run = JSON.parse('{"__proto__":["x"]}');
    expect(faultsOf({ allow: { run } })).toContain("there is no program `__proto__`");
  });
});

describe("search_path", () => {
  test.each(["bin", "./bin", "~/bin", "", "/usr/bin/../../tmp", "/usr/bin:/tmp", "/usr\0/bin"])(
    "%j is refused",
    (folder) => {
      expect(faultsOf({ search_path: [folder] })).toContain("/search_path/0: ");
    },
  );

  test("a folder that does not exist yet is not looked in later", () => {
    expect(resolve({ search_path: [join(root, "later"), bin, `${bin}/`] }).authority.searchPath).toEqual([bin]);
  });
});

describe("grants that would widen themselves", () => {
  test("calls may not write where a permitted program lies", () => {
    program(join(bin, "tool"));
    const run = { tool: ["x"] as [string] };
    expect(faultsOf({ allow: { write: ["../bin"], run } })).toContain(
      "/allow/write/0: calls could replace the program",
    );
    expect(faultsOf({ allow: { write: ["/"], run } })).toContain("/allow/write/0: calls could replace the program");
    expect(faultsOf({ allow: { write: ["../bin"], run }, deny: { write: ["../bin"] } })).toBe("");
    expect(faultsOf({ allow: { write: ["../bin-evil"], run } })).toBe("");
  });

  test("nor into any folder in which programs are looked up, whatever it is called", () => {
    const looked = "/allow/write/0: calls could put a program into";
    expect(faultsOf({ allow: { write: ["../bin"] } })).toContain(looked);
    expect(faultsOf({ allow: { write: ["../bin/below"] } })).toBe("");
    mkdirSync(join(project, "tools"));
    symlinkSync(join(project, "tools"), join(root, "link"));
    program(join(bin, "tool"));
    const search = {
      search_path: [join(root, "link"), bin],
      allow: { write: ["tools"], run: { tool: ["x"] as [string] } },
    };
    expect(faultsOf(search)).toContain(looked);
    expect(faultsOf({ ...search, deny: { write: ["tools"] } })).toBe("");
  });

  test("nor over the program that would decide about it", () => {
    const ownPrograms = [join(project, "node_modules")];
    const attempt = (configuration: Configuration) => (): unknown =>
      resolveConfiguration({ configuration, baseDirectory: project, ownPrograms, environment: { HOME: root } });
    for (const write of [".", "node_modules", "node_modules/femtoclaw/src", "node_modules/anything"]) {
      const attack = { allow: { write: ["out", write] } };
      expect(attempt(attack)).toThrow("/allow/write/1: calls could change FemtoClaw's own program");
      expect(attempt({ ...attack, deny: { write: ["node_modules/.bin"] } })).toThrow("own program");
      expect(attempt({ ...attack, deny: { write: ["node_modules"] } })).not.toThrow();
    }
    expect(attempt({ allow: { write: ["out", "node_modules-twin"] } })).not.toThrow();
  });

  test("a program is denied and asked for under every name of its file", () => {
    program(join(bin, "tool"));
    linkSync(join(bin, "tool"), join(bin, "twin"));
    program(join(bin, "other"));
    const use: [string] = ["x"];
    const permitted = { run: { twin: use, other: use } };
    for (const table of ["deny", "ask"] as const) {
      const { authority } = resolve({ allow: permitted, [table]: { run: { tool: ["push"] } } });
      expect(authority[table].run.map(({ path, use: of }) => [path, of])).toEqual([
        [join(bin, "tool"), { kind: "word", word: "push", flags: [] }],
        [join(bin, "twin"), { kind: "word", word: "push", flags: [] }],
      ]);
    }
  });

  test("a name is denied in every folder of search_path, and permitted in the first alone", () => {
    const other = join(root, "other");
    mkdirSync(other);
    symlinkSync(other, join(root, "link"));
    for (const folder of [bin, other]) program(join(folder, "tool"));
    const run = { tool: ["x"] as [string] };
    const { authority } = resolve({ search_path: [bin, other, join(root, "link")], allow: { run }, deny: { run } });
    expect(authority.allow.run.map(({ path }) => path)).toEqual([join(bin, "tool")]);
    expect(authority.deny.run.map(({ path }) => path)).toEqual([join(bin, "tool"), join(other, "tool")]);
  });

  test("nor where the file behind its name lies", () => {
    program(join(project, "real"));
    symlinkSync(join(project, "real"), join(bin, "tool"));
    expect(faultsOf({ allow: { write: ["real"], run: { tool: ["x"] } } })).toContain("calls could replace the program");
  });

  test("the workspace cannot be the root, nor lie in FemtoClaw's own folders", () => {
    expect(faultsOf({ workspace: "/" })).toContain("/workspace: the root of the file system cannot be the workspace");
    expect(faultsOf({ memory: { path: "." } })).toContain(
      "which belongs to FemtoClaw and must be out of reach of calls",
    );
    expect(faultsOf({ host: { runtime_dir: ".." } })).toContain(
      "which belongs to FemtoClaw and must be out of reach of calls",
    );
    mkdirSync(join(project, "policy"));
    expect(faultsOf({ workspace: "policy" })).toContain("which belongs to FemtoClaw and must be out of reach of calls");
  });
});

describe("links and odd paths", () => {
  test("a dangling link grants nothing: its target is for others to choose", () => {
    symlinkSync("/nowhere/secret", join(project, "out"));
    symlinkSync("loop", join(project, "loop"));
    const faults = faultsOf({ allow: { write: ["out", "out/below", "loop"] } }).split("\n");
    expect(faults).toEqual([
      "/allow/write/0: `out` is, or goes through, a symbolic link without a target",
      "/allow/write/1: `out/below` is, or goes through, a symbolic link without a target",
      "/allow/write/2: `loop` contains a loop of symbolic links",
    ]);
  });

  test("a file is no folder, and paths are bounded", () => {
    writeFileSync(join(project, "file"), "");
    expect(faultsOf({ allow: { read: ["file/x"] } })).toContain("uses a file as a folder");
    expect(faultsOf({ allow: { read: ["d/".repeat(70)] } })).toContain("is deeper than 64 folders");
    expect(faultsOf({ allow: { read: ["n".repeat(300)] } })).toContain("is longer than the system allows");
  });

  test("going up after going down is refused, because a link would decide where it ends", () => {
    symlinkSync("/usr/bin", join(project, "link"));
    expect(faultsOf({ allow: { read: ["link/../x"] } })).toContain("contains `..` after a folder");
    expect(faultsOf({ allow: { read: ["/usr/../etc"] } })).toContain("contains `..` after a folder");
    expect(faultsOf({ allow: { read: ["../x", "./y", "z/./w"] } })).toBe("");
  });

  test("HOME of another kind is not expanded", () => {
    const input = { configuration: { memory: { path: "/s" }, allow: { read: ["~/x"] } }, ownPaths: [] };
    const attempt = (): unknown =>
      resolveConfiguration({
        ...input,
        baseDirectory: project,
        sourceOf: (at) => at,
        environment: { HOME: "../evil" },
      });
    expect(attempt).toThrow("`~/x` needs HOME to be an absolute path");
  });
});

describe("links that calls could change", () => {
  beforeEach(() => {
    mkdirSync(join(project, "out"));
    mkdirSync(join(root, "victim"));
    symlinkSync(join(root, "victim"), join(project, "out", "data"));
  });

  test.each<[name: string, configuration: Configuration]>([
    ["a grant to read", { allow: { read: ["out/data"], write: ["out"] } }],
    ["a grant to read below it", { allow: { read: ["out/data/deep/er"], write: ["out"] } }],
    ["a grant to write", { allow: { write: ["out", "out/data"] } }],
    ["a grant that asks", { ask: { read: ["out/data"] }, allow: { write: ["out"] } }],
    ["a folder that is written after a question", { allow: { read: ["out/data"] }, ask: { write: ["out"] } }],
    ["a denial", { allow: { write: ["out"] }, deny: { read: ["out/data"] } }],
    ["what programs see", { allow: { write: ["out"] }, sandbox: { read: ["out/data"] } }],
    ["the workspace", { workspace: "out/data", allow: { write: [join("..", "project", "out")] } }],
  ])("decide over nothing: %s", (_name, configuration) => {
    expect(faultsOf(configuration)).toContain(`it goes through the symbolic link ${join(project, "out", "data")}`);
  });

  test("also where another link leads there", () => {
    symlinkSync("out/data", join(project, "short"));
    expect(faultsOf({ allow: { read: ["short"], write: ["out"] } })).toContain("it goes through the symbolic link");
  });

  test("a link that no call can change is followed", () => {
    symlinkSync(join(root, "victim"), join(project, "fixed"));
    const { allow } = resolve({ allow: { read: ["fixed"], write: ["out"] } }).authority;
    expect(allow.read.map(({ path }) => path)).toEqual([join(root, "victim")]);
    const denied = { allow: { read: ["out/data"], write: ["out"] }, deny: { write: ["out/data"] } };
    expect(faultsOf(denied)).toContain("it goes through the symbolic link");
  });
});
