/** What a configuration resolves to on a machine, and which faults are reported with their places. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Configuration, FemtoError, LIMITS } from "@femtoclaw/protocol";
import { DEFAULT_CHILD_LIMITS } from "@femtoclaw/sandbox";
import { afterEach, beforeEach, expect, test } from "vitest";
import { resolveConfiguration } from "../../src/configuration/resolve-configuration.ts";
import type { ResolvedConfiguration } from "../../src/configuration/resolved-configuration.ts";

let root: string;
let project: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "femto-")));
  project = join(root, "project");
  mkdirSync(project);
  mkdirSync(join(root, "bin"));
  program("tool");
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function program(name: string, mode = 0o755): void {
  writeFileSync(join(root, "bin", name), "#!/bin/sh\n");
  chmodSync(join(root, "bin", name), mode);
}

function resolve(configuration: Configuration, environment: Record<string, string> = {}): ResolvedConfiguration {
  return resolveConfiguration({
    configuration: { search_path: [join(root, "bin")], ...configuration },
    baseDirectory: project,
    sourceOf: (pointer) => `conf:${pointer}`,
    ownPaths: [join(project, "femtoclaw.toml")],
    environment: { HOME: join(root, "home"), ...environment },
  });
}

function faultsOf(configuration: Configuration, environment: Record<string, string> = {}): string[] {
  try {
    resolve(configuration, environment);
  } catch (error) {
    if (error instanceof FemtoError) return error.message.split("\n");
    throw error;
  }
  return [];
}

test("an empty configuration grants nothing and has every default", () => {
  const resolved = resolve({});
  expect(resolved.authority).toMatchObject({
    workspace: project,
    allow: { read: [], write: [], run: [] },
    deny: { read: [], write: [], run: [] },
    childRead: [],
    environment: { LANG: "C.UTF-8" },
    environmentNames: [],
  });
  expect(resolved.capabilities.size).toBe(0);
  expect(resolved.limits).toEqual({
    timeoutMs: LIMITS.timeoutMs,
    outputBytes: LIMITS.outputBytes,
    concurrency: LIMITS.concurrency,
    queue: LIMITS.queue,
    child: DEFAULT_CHILD_LIMITS,
  });
  expect(resolved.otlpEndpoint).toBeUndefined();
  expect(resolved.stateDirectory).toMatch(/\/home\/\.local\/state\/femtoclaw\/project-[0-9a-f]{8}$/);
  expect(resolved.runtimeDirectory).toMatch(/^\/tmp\/femtoclaw-\d+\/[0-9a-f]{8}$/);
  expect(resolved.sha256).toMatch(/^[0-9a-f]{64}$/);
});

test("state and sockets follow the XDG variables, relative ones are ignored", () => {
  const own = resolve({}, { XDG_STATE_HOME: join(root, "s"), XDG_RUNTIME_DIR: join(root, "r") });
  expect(own.stateDirectory.startsWith(join(root, "s/femtoclaw/project-"))).toBe(true);
  expect(own.runtimeDirectory.startsWith(join(root, "r/femtoclaw/"))).toBe(true);
  expect(resolve({}, { XDG_STATE_HOME: "s" }).stateDirectory).toBe(resolve({}).stateDirectory);
  expect(faultsOf({}, { HOME: "" })).toEqual([
    "conf:/memory/path: set HOME to an absolute path, or set the path of the state directory here",
  ]);
  expect(resolve({ memory: { path: "~/state" }, host: { runtime_dir: "run" } })).toMatchObject({
    stateDirectory: join(root, "home/state"),
    runtimeDirectory: join(project, "run"),
  });
});

test("everything of FemtoClaw's own is out of reach", () => {
  const { authority, stateDirectory, runtimeDirectory } = resolve({ allow: { read: ["/"] } });
  expect(authority.floor).toEqual(
    expect.arrayContaining([
      join(project, "femtoclaw.toml"),
      stateDirectory,
      runtimeDirectory,
      join(root, "home/.local/state/femtoclaw"),
    ]),
  );
});

test("capabilities: true, options, and false, which locks", () => {
  const { capabilities } = resolve({
    capabilities: {
      fs_read: true,
      fs_write: false,
      process_exec: { timeout_ms: 5, output_bytes: 6, memory_bytes: 99_999_999, processes: 9 },
    },
  });
  expect(Object.fromEntries(capabilities)).toEqual({
    fs_read: { enabled: true, locked: false },
    fs_write: { enabled: false, locked: true },
    process_exec: {
      enabled: true,
      locked: false,
      timeoutMs: 5,
      outputBytes: 6,
      child: { memoryBytes: 99_999_999, processes: 9 },
    },
  });
});

test("what children may use has a default for each, and a name for each", () => {
  const limits = {
    memory_bytes: 20_000_000,
    processes: 10,
    cpu_ms: 2_000,
    file_bytes: 3,
    open_files: 20,
    temporary_bytes: 2_000_000,
  };
  expect(resolve({ limits }).limits.child).toEqual({
    memoryBytes: 20_000_000,
    processes: 10,
    cpuMs: 2_000,
    fileBytes: 3,
    openFiles: 20,
    temporaryBytes: 2_000_000,
  });
  expect(resolve({ limits: { processes: 10 } }).limits.child).toEqual({ ...DEFAULT_CHILD_LIMITS, processes: 10 });
});

test("paths become canonical and keep their places", () => {
  mkdirSync(join(root, "elsewhere"));
  symlinkSync(join(root, "elsewhere"), join(project, "link"));
  const { allow } = resolve({ allow: { read: [".", "link/not-yet/there", "~/x"], write: ["../elsewhere"] } }).authority;
  expect(allow.read).toEqual([
    { path: project, source: "conf:/allow/read/0" },
    { path: join(root, "elsewhere/not-yet/there"), source: "conf:/allow/read/1" },
    { path: join(root, "home/x"), source: "conf:/allow/read/2" },
  ]);
  expect(allow.write).toEqual([{ path: join(root, "elsewhere"), source: "conf:/allow/write/0" }]);
});

test("uses of programs", () => {
  const { run } = resolve({
    allow: {
      run: { tool: ["word", "*", { word: "w", flags: ["-a", "-a"] }, { any: true }, { any: true, unsafe: true }] },
    },
  }).authority.allow;
  expect(run.map(({ use }) => use)).toEqual([
    { kind: "word", word: "word", flags: [] },
    { kind: "any", unsafe: false },
    { kind: "word", word: "w", flags: ["-a"] },
    { kind: "any", unsafe: false },
    { kind: "any", unsafe: true },
  ]);
  expect(run[2]).toMatchObject({ path: join(root, "bin/tool"), source: "conf:/allow/run/tool/2" });
});

test("variables: the host's values for listed names, none for others", () => {
  const { environment, environmentNames } = resolve(
    { sandbox: { env: ["TZ", "LANG", "UNSET"] } },
    { TZ: "UTC", X: "1" },
  ).authority;
  expect(environment).toEqual({ LANG: "C.UTF-8", TZ: "UTC" });
  expect(environmentNames).toEqual(["TZ", "LANG", "UNSET"]);
});

test("the digest covers what is in force, and no value of a variable", () => {
  const digest = (configuration: Configuration, environment = {}): string => resolve(configuration, environment).sha256;
  expect(digest({})).toBe(digest({ workspace: "." }));
  expect(digest({})).not.toBe(digest({ allow: { read: ["."] } }));
  expect(digest({})).not.toBe(digest({ capabilities: { fs_read: true } }));
  expect(digest({ sandbox: { env: ["T"] } }, { T: "1" })).toBe(digest({ sandbox: { env: ["T"] } }, { T: "2" }));
});

test("every fault is reported at once", () => {
  expect(
    faultsOf({
      workspace: "missing",
      search_path: [join(root, "bin"), "relative/bin"],
      allow: { read: ["a\0b", "~other/x", "a/../b"], run: { absent: ["x"], tool: ["--version"] } },
      deny: { run: { "./tool": ["*"] } },
      sandbox: { env: ["PATH"] },
      observability: { otlp: "http://user:secret@host/" },
    }),
  ).toEqual([
    `conf:/workspace: expected a folder that exists, found ${project}/missing`,
    "conf:/search_path/1: expected an absolute folder, found `relative/bin`",
    "conf:/allow/read/0: the path `a\\u{0}b` holds a NUL character",
    "conf:/allow/read/1: only `~/` is expanded, not `~other/x`",
    "conf:/allow/read/2: `a/../b` contains `..` after a folder, which is ambiguous if that folder is a link; write the path without it",
    `conf:/allow/run/absent: there is no program \`absent\` in search_path (${root}/bin)`,
    "conf:/allow/run/tool/0: an option cannot be the first word; list `--version` under flags of a word",
    "conf:/deny/run/.~1tool: expected the name of a program or its absolute path, found `./tool`",
    "conf:/sandbox/env/0: the PATH of children is search_path; take it from here",
    "conf:/observability/otlp: an address must not contain a user or password",
  ]);
});

test("a caller without types is checked against the schema too", () => {
  expect(faultsOf({ alow: {} } as Configuration)).toEqual(["conf:/alow: unknown key `alow`; did you mean `allow`?"]);
});

test("socket paths stay short enough for the kernel", () => {
  const long = { host: { runtime_dir: `/tmp/${"x".repeat(90)}` } };
  expect(() => resolve(long)).toThrow(expect.objectContaining({ code: "FEMTO_SOCKET_PATH" }));
  expect(resolve({ host: { runtime_dir: `/tmp/${"x".repeat(80)}` } }).runtimeDirectory).toHaveLength(85);
});

test("programs connect where entries say, each for the first program of its name", () => {
  const { authority } = resolve({ sandbox: { connect: { tool: ["a.test", "localhost:3000"] } } });
  const path = join(root, "bin/tool");
  expect(authority.connect).toEqual([
    { hosts: "one", host: "a.test", port: null, source: "conf:/sandbox/connect/tool/0", program: path, realPath: path },
    {
      hosts: "one",
      host: "localhost",
      port: 3000,
      source: "conf:/sandbox/connect/tool/1",
      program: path,
      realPath: path,
    },
  ]);
  expect(resolve({}).authority).not.toHaveProperty("connect");
  expect(faultsOf({ sandbox: { connect: { absent: ["a.test"], tool: ["http://a.test"] } } })).toEqual([
    `conf:/sandbox/connect/absent: there is no program \`absent\` in search_path (${root}/bin)`,
    "conf:/sandbox/connect/tool/0: write only the host, without scheme, user and path",
  ]);
});
