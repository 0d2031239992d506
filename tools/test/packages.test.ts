/** The packages that npm would install, in a project that has nothing else: no types are stripped there, and no script is run. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROOT } from "../binary/locked-file.ts";

const project = mkdtempSync(join(tmpdir(), "femtoclaw-installed-"));
const modules = join(project, "node_modules");
const tarballs = join(project, "tarballs");

interface Installed {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: object;
}

const installed = (folder: string): Installed =>
  JSON.parse(readFileSync(join(modules, folder, "package.json"), "utf8")) as Installed;

function run(program: string, ...args: string[]): string {
  const environment = {
    PATH: process.env["PATH"],
    HOME: join(project, "home"),
    XDG_RUNTIME_DIR: join(project, "home"),
  };
  return execFileSync(program, args, { cwd: project, env: environment, stdio: ["ignore", "pipe", "pipe"] }).toString();
}

/** As npm lays them out; of what others made, only what our packages say that they need. */
beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, "tools/build-packages.ts"), "--out", tarballs], { stdio: "pipe" });
  mkdirSync(join(project, "home"), { mode: 0o700 });
  writeFileSync(join(project, "package.json"), '{"type":"module"}');
  for (const name of readdirSync(tarballs)) {
    const unpacked = join(project, "unpacked");
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", join(tarballs, name), "-C", unpacked, "--strip-components=1"]);
    const { name: as, dependencies = {} } = JSON.parse(
      readFileSync(join(unpacked, "package.json"), "utf8"),
    ) as Installed;
    mkdirSync(dirname(join(modules, as)), { recursive: true });
    cpSync(unpacked, join(modules, as), { recursive: true });
    rmSync(unpacked, { recursive: true });
    for (const dependency of Object.keys(dependencies).filter((other) => !other.startsWith("@femtoclaw/"))) {
      mkdirSync(dirname(join(modules, dependency)), { recursive: true });
      if (!existsSync(join(modules, dependency)))
        symlinkSync(join(ROOT, "node_modules", dependency), join(modules, dependency));
    }
  }
});
afterAll(() => rmSync(project, { recursive: true }));

const OWN = (): readonly string[] => [
  "femtoclaw",
  ...readdirSync(join(modules, "@femtoclaw")).map((name) => `@femtoclaw/${name}`),
];

test("every package is there in one version, with its licence, without sources and without scripts", () => {
  for (const folder of OWN()) {
    const { version, dependencies = {}, scripts } = installed(folder);
    expect(existsSync(join(modules, folder, "LICENSE")), folder).toBe(true);
    expect(scripts).toBeUndefined();
    const ours = Object.entries(dependencies).filter(([name]) => name.startsWith("@femtoclaw/"));
    for (const [name, wanted] of ours) expect([name, installed(name).version, version]).toEqual([name, wanted, wanted]);
    const files = readdirSync(join(modules, folder), { recursive: true }).map(String);
    expect(files.filter((name) => /(?<!\.d)\.ts$|standalone/.test(name))).toEqual([]);
  }
  expect(OWN()).not.toContain("@femtoclaw/testing");
});

test("the command works there", () => {
  const command = join(modules, "femtoclaw/src/launch.js");
  run(process.execPath, command, "init", "--preset", "read-only", "--yes");
  const reply = run(process.execPath, command, "--json", "call", "--embedded", "fs_read", '{"path":"package.json"}');
  expect(JSON.parse(reply)).toMatchObject({ status: "completed", result: { content: '{"type":"module"}' } });
  expect(run(process.execPath, command, "replay", "--recompute")).toContain("recomputed");
});

test("a program in plain JavaScript embeds the runtime, as a module and in CommonJS", () => {
  const work = `
    const configuration = resolveConfiguration({
      configuration: { workspace: "plain", capabilities: { fs_read: true }, allow: { read: ["plain"] }, memory: { path: "plain-state" } },
      baseDirectory: process.cwd(),
      environment: process.env,
    });
    const runtime = await createRuntime({ configuration });
    const session = runtime.openSession({ channel: "library" });
    const { status, result } = await session.propose({ tool_call: { tool: "fs_read", args: { path: "n.txt" } } });
    await runtime.close();
    console.log(status, result.content);`;
  mkdirSync(join(project, "plain"));
  writeFileSync(join(project, "plain/n.txt"), "hi");
  const names = "{ createRuntime, resolveConfiguration }";
  writeFileSync(join(project, "plain.mjs"), `import ${names} from "@femtoclaw/runtime";${work}`);
  writeFileSync(
    join(project, "plain.cjs"),
    `const ${names} = require("@femtoclaw/runtime");(async () => {${work}})();`,
  );
  for (const program of ["plain.mjs", "plain.cjs"]) {
    expect(run(process.execPath, join(project, program))).toBe("completed hi\n");
  }
});

test("a program imports the runtime there, and its types are found", () => {
  const program = join(project, "main.ts");
  cpSync(join(ROOT, "examples/embed-runtime/main.ts"), program);
  expect(run(process.execPath, program)).toContain("notes.txt: AUTHORIZED");
  mkdirSync(join(modules, "@types"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules/@types/node"), join(modules, "@types/node"));
  const compiler = join(ROOT, "node_modules/.bin/tsc");
  const options = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--types",
    "node",
  ];
  run(compiler, ...options, "--lib", "es2024,esnext.disposable", program);
  writeFileSync(program, readFileSync(program, "utf8").replace("runtime.openSession(", "runtime.openSesion("));
  expect(() => run(compiler, ...options, "--lib", "es2024,esnext.disposable", program)).toThrow();
});
