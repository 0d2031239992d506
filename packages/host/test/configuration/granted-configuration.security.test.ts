/** What `policy allow` writes: however a configuration looks, its meaning grows by the grant alone, or nothing is written. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { lockFile } from "@femtoclaw/journal/file-lock";
import type { GrantProposal } from "@femtoclaw/policy";
import { DEFAULT_SEARCH_PATH, findProgram } from "@femtoclaw/runtime/configuration";
import fc from "fast-check";
import { parse } from "toml";
import { describe, expect, it } from "vitest";
import { grantedConfiguration } from "../../src/configuration/granted-configuration.ts";
import { resolveProject } from "../../src/configuration/load-configuration.ts";
import { readProjectFiles } from "../../src/configuration/project-files.ts";
import { replaceConfiguration } from "../../src/configuration/replace-configuration.ts";
import { tomlKey, tomlString } from "../../src/configuration/toml-text.ts";
import { faultOf, TemporaryHome } from "./temporary-home.ts";

const NOTHING = { note: null, dangerous: false } as const;

class Project extends TemporaryHome {
  readonly options = { cwd: this.root, environment: this.environment };

  constructor(text: string) {
    super();
    this.write("p/femtoclaw.toml", text);
  }

  get file(): string {
    return this.path("p/femtoclaw.toml");
  }

  get staging() {
    return { folder: this.folder("state"), isQuiet: false };
  }

  get text(): string {
    return readFileSync(this.file, "utf8");
  }

  granted(...grants: readonly GrantProposal[]) {
    const project = readProjectFiles(this.file);
    const { resolved } = resolveProject(project, this.options);
    return { before: project, ...grantedConfiguration(project, resolved, { grants, settled: [] }, this.options) };
  }

  read(name: string): GrantProposal {
    return { table: "read", path: this.path("p", name), ...NOTHING };
  }
}

function program(name: string): { readonly program: string; readonly realPath: string } {
  const found = findProgram(name, DEFAULT_SEARCH_PATH);
  if ("problem" in found) throw new Error(found.problem);
  return { program: found.path, realPath: found.realPath };
}

const echo = (use: Extract<GrantProposal, { table: "run" }>["use"]): GrantProposal => ({
  table: "run",
  ...program("echo"),
  use,
  ...NOTHING,
});

describe("a grant", () => {
  it.each([
    ["an empty file", ""],
    ["Windows line ends", '[allow]\r\nread = ["a"]\r\nwrite = []\r\n\r\n[deny]\r\nread = ["s"]\r\n'],
    ["no line end", '[deny]\nread = ["s"]'],
    ["inline tables", 'allow = { read = ["a"], run = { echo = ["x"] } }\ndeny = { read = ["s"] }\n'],
    ["dotted keys", 'allow.read = ["a"]\nallow.run.echo = ["x"]\ndeny.read = ["s"]\n'],
    ["quoted and spaced keys", '[ "allow" ]\n  "read"=[ "a" , ]\n  run . echo = [ "x" ]\n'],
    ["tables out of order", '[allow.run]\necho = ["x"]\n[deny]\nread = ["s"]\n[allow]\nread = ["a"]\n'],
    ["comments that look like tables", '# [allow]\n[allow] # ]\n# read = [\nread = [ # "b"\n  "a", # ]\n]\n'],
    ["texts that look like tables", '[allow]\nread = ["a", """\n[allow]\nread = [""", \'[deny]\']\n'],
    ["a list of inline tables", '[allow]\nrun = { echo = [ { word = "x", flags = [ "-n" ] } ] }\n'],
  ])("is added to %s, and the rest keeps its meaning and its bytes", (_, text) => {
    using project = new Project(text);
    const grants = [
      project.read("new file.txt"),
      echo({ kind: "word", word: "y z", flags: ["-n", '-"'] }),
      { table: "environment", name: "TZ", ...NOTHING } as const,
    ];
    const { project: after, loaded } = project.granted(...grants);
    const { allow, environmentNames } = loaded.resolved.authority;
    expect(allow.read.map(({ path }) => path)).toContain(project.path("p/new file.txt"));
    expect(allow.run.map(({ use }) => use)).toContainEqual({ kind: "word", word: "y z", flags: ["-n", '-"'] });
    expect(environmentNames).toEqual(["TZ"]);
    expect(withoutLines(Buffer.from(after.configuration).toString(), text)).toBe(true);
  });

  it("is refused where the text is not what it seems, and where the grant may not stand", () => {
    using project = new Project('[allow]\nwrite = ["a"]\n');
    // A program that calls could replace.
    const program = project.write("p/bin/tool", "#!/bin/sh\n");
    chmodSync(program, 0o755);
    project.write(
      "p/femtoclaw.toml",
      `search_path = [${tomlString(project.path("p/bin"))}]\n[allow]\nrun = { tool = ["x"] }\n`,
    );
    const write: GrantProposal = { table: "write", path: program, ...NOTHING };
    expect(faultOf(() => project.granted(write))).toMatchObject({ code: "FEMTO_CONFIG_INVALID" });
  });

  it("takes no entry of [ask] away but the one that it stands for", () => {
    using project = new Project('[ask]\nread = ["a", "b"]\n');
    const grants = [project.read("a")];
    const entry = (name: string, place: string) => ({
      ...({ table: "read", meaning: project.path("p", name), source: `femtoclaw.toml:${place}` } as const),
    });
    const change = (...settled: readonly ReturnType<typeof entry>[]) => {
      const found = readProjectFiles(project.file);
      const { resolved } = resolveProject(found, project.options);
      return grantedConfiguration(found, resolved, { grants, settled }, project.options);
    };
    expect(change(entry("a", "2:9")).loaded.resolved.authority.ask.read.map(({ path }) => path)).toEqual([
      project.path("p/b"),
    ]);
    for (const settled of [entry("a", "2:14"), entry("b", "1:1"), entry("a", ""), entry("a", "-1:9e9")]) {
      expect(faultOf(() => change(settled))?.message).toContain("cannot be changed by this command");
    }
  });

  it("is refused when it would mean something else by the time it is read", () => {
    using project = new Project("");
    // The file of the facts became a link to another one.
    project.write("p/real", "x");
    symlinkSync(project.path("p/real"), project.path("p/link"));
    expect(faultOf(() => project.granted(project.read("link")))?.message).toContain(
      "cannot be changed by this command",
    );
    const elsewhere = { ...echo({ kind: "word", word: "x", flags: [] }), realPath: "/usr/bin/other" } as GrantProposal;
    expect(faultOf(() => project.granted(elsewhere))?.message).toContain("cannot be changed by this command");
  });

  it("of a shell is refused without `unsafe`", () => {
    using project = new Project("");
    const shell = { table: "run", ...program("bash"), ...NOTHING } as const;
    expect(
      project.granted({ ...shell, use: { kind: "any", unsafe: true } }).loaded.resolved.authority.allow.run,
    ).toHaveLength(1);
    const text = Buffer.from(project.granted({ ...shell, use: { kind: "any", unsafe: true } }).project.configuration);
    expect(text.toString()).toBe("[allow]\nrun = { bash = [{ any = true, unsafe = true }] }\n");
  });

  it("of a path that would act on a screen or stand for a home is written so that it does not", () => {
    using project = new Project("");
    for (const name of ["~", "~root", "a\u202eb", 'a"b\\', "\u001b[2J", "a\nb", "💥", "'''", "..."]) {
      const { loaded, project: after } = project.granted(project.read(name));
      expect(loaded.resolved.authority.allow.read.map(({ path }) => path)).toEqual([project.path("p", name)]);
      expect(Buffer.from(after.configuration).toString()).not.toMatch(/[\p{Cf}\u001b]/u);
    }
  });
});

it("every text and key that TOML writes is read back as it was", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
      (text) => {
        expect(parse(`a = ${tomlString(text)}`)).toEqual({ a: text });
        if (text !== "__proto__") expect(Object.keys(parse(`${tomlKey(text)} = 1`))).toEqual([text]);
      },
    ),
  );
});

describe("the file", () => {
  it("keeps its mode, is replaced whole, and leaves nothing beside it", async () => {
    using project = new Project("[deny]\n");
    chmodSync(project.file, 0o640);
    const { before, project: after } = project.granted(project.read("a"));
    await replaceConfiguration(before, after, project.staging);
    expect(project.text).toBe('[deny]\n\n[allow]\nread = ["./a"]\n');
    expect(statSync(project.file).mode & 0o7777).toBe(0o640);
    expect(readdirSync(project.path("p"))).toEqual(["femtoclaw.toml"]);
    expect(readdirSync(project.staging.folder)).toEqual(["femtoclaw.toml.lock"]);
  });

  it("is born out of reach, so that nobody who may write to the project holds it open", async () => {
    using project = new Project("[deny]\n");
    const { before, project: after } = project.granted(project.read("a"));
    project.write("p/femtoclaw.toml.next", "# planted by a call");
    await replaceConfiguration(before, after, project.staging);
    expect(project.text).toContain('read = ["./a"]');
    expect(project.text).not.toContain("planted");
  });

  const OTHER = "/dev/shm";
  const isOther = existsSync(OTHER) && statSync(OTHER).dev !== statSync(tmpdir()).dev;
  it.skipIf(!isOther)("on another file system than the state is replaced only while no call can run", async () => {
    using project = new Project("[deny]\n");
    const { before, project: after } = project.granted(project.read("a"));
    const folder = mkdtempSync(`${OTHER}/femto-`);
    try {
      const replace = (isQuiet: boolean) => replaceConfiguration(before, after, { folder, isQuiet });
      await expect(replace(false)).rejects.toMatchObject({ fix: expect.stringContaining("femtoclaw down") });
      expect(project.text).toBe("[deny]\n");
      await replace(true);
      expect(project.text).toContain('read = ["./a"]');
      expect([readdirSync(folder), readdirSync(project.path("p"))]).toEqual([
        ["femtoclaw.toml.lock"],
        ["femtoclaw.toml"],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is not written when it changed, became a link or went away since it was read", async () => {
    using project = new Project("[deny]\n");
    const { before, project: after } = project.granted(project.read("a"));
    writeFileSync(project.file, "# mine\n");
    await expect(replaceConfiguration(before, after, project.staging)).rejects.toThrow("has changed since it was read");
    expect(project.text).toBe("# mine\n");
    project.write("elsewhere", "[deny]\n");
    unlinkSync(project.file);
    symlinkSync(project.path("elsewhere"), project.file);
    await expect(replaceConfiguration(before, after, project.staging)).rejects.toThrow("symbolic link");
    expect(readFileSync(project.path("elsewhere"), "utf8")).toBe("[deny]\n");
    unlinkSync(project.file);
    await expect(replaceConfiguration(before, after, project.staging)).rejects.toMatchObject({
      code: "FEMTO_CONFIG_INVALID",
    });
    expect(readdirSync(project.path("p"))).toEqual([]);
  });

  it("is changed by one command at a time", async () => {
    using project = new Project("[deny]\n");
    const { before, project: after } = project.granted(project.read("a"));
    const { staging } = project;
    writeFileSync(`${staging.folder}/femtoclaw.toml.lock`, "");
    const lock = lockFile(`${staging.folder}/femtoclaw.toml.lock`);
    const replaced = replaceConfiguration(before, after, staging);
    await sleep(100);
    expect(project.text).toBe("[deny]\n");
    lock?.[Symbol.dispose]();
    await replaced;
    expect(project.text).toContain('read = ["./a"]');
  });

  it("is written whatever one who was killed, or a call, left on its way, and through none of it", async () => {
    using project = new Project("[deny]\n");
    const { before, project: after } = project.granted(project.read("a"));
    const { folder } = project.staging;
    const left = (number: number) => `.femtoclaw.toml.00000000-0000-4000-8000-00000000000${number}`;
    project.write("target", "t");
    writeFileSync(`${folder}/${left(1)}`, "half a confi");
    symlinkSync(project.path("target"), `${folder}/${left(2)}`);
    mkdirSync(`${folder}/${left(3)}`);
    symlinkSync(project.path("target"), `${folder}/femtoclaw.toml.next`);
    await replaceConfiguration(before, after, { folder, isQuiet: false });
    expect(project.text).toContain('read = ["./a"]');
    expect(readFileSync(project.path("target"), "utf8")).toBe("t");
    expect(readdirSync(folder).sort()).toEqual([left(3), "femtoclaw.toml.lock", "femtoclaw.toml.next"]);
  });

  it("is refused where others may write to it or to its folder", async () => {
    using project = new Project("[deny]\n");
    const { before, project: after } = project.granted(project.read("a"));
    for (const place of [project.file, project.path("p")]) {
      const { mode } = statSync(place);
      chmodSync(place, mode | 0o022);
      await expect(replaceConfiguration(before, after, project.staging)).rejects.toMatchObject({
        code: "FEMTO_CONFIG_OWNER",
      });
      chmodSync(place, mode);
    }
    expect(project.text).toBe("[deny]\n");
  });
});

/** Whether the old text is what is left when the added characters are taken away. */
function withoutLines(after: string, before: string): boolean {
  let at = 0;
  for (const character of before) {
    at = after.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
