/** A folder of its own with a workspace, secrets and a state folder, and an authority over them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Authority, PathGrant } from "@femtoclaw/protocol";
import type { SandboxRun } from "../src/children/run.ts";
import { DEFAULT_CHILD_LIMITS, hostInspection, runSandboxed, type SandboxResult, viewOf } from "../src/index.ts";

export const SECRET = "the-secret-that-no-child-may-see";

export interface Playground extends Disposable {
  readonly root: string;
  readonly workspace: string;
  readonly out: string;
  readonly authority: Authority;
}

export const grants = (...paths: string[]): PathGrant[] => paths.map((path) => ({ path, source: "test" }));

export function playground(
  change: (at: { root: string; workspace: string; out: string }) => Partial<Authority> = () => ({}),
): Playground {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-sandbox-")));
  const workspace = join(root, "workspace");
  const out = join(workspace, "out");
  for (const folder of [
    "workspace/out",
    "workspace/secrets",
    "workspace/asked",
    "workspace/.git/hooks",
    "workspace/deep/er",
    "workspace/kept",
    "state",
  ]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const file of [
    "workspace/secrets/key",
    "workspace/asked/diary",
    "workspace/deep/er/secret",
    "workspace/femtoclaw.toml",
    "state/journal",
    "outside",
  ]) {
    writeFileSync(join(root, file), SECRET);
  }
  writeFileSync(join(workspace, "readme"), "hello");
  const authority: Authority = {
    workspace,
    searchPath: ["/usr/local/bin", "/usr/bin", "/bin"],
    allow: { read: grants(workspace), write: grants(out), run: [] },
    ask: { read: grants(join(workspace, "asked")), write: [], run: [] },
    deny: { read: grants(join(workspace, "secrets")), write: [], run: [] },
    floor: [join(root, "state"), join(workspace, "femtoclaw.toml")],
    childRead: [],
    environment: {},
    environmentNames: [],
    ...change({ root, workspace, out }),
  };
  return { root, workspace, out, authority, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

export function programOf(name: string): { program: string; realPath: string } {
  const program = hostInspection.findProgram(name, ["/usr/bin", "/bin"]);
  if (program === null) throw new Error(`${name} is not installed`);
  return { program, realPath: realpathSync(program) };
}

export function run(
  { authority, workspace }: Playground,
  [name = "", ...args]: readonly string[],
  more: Partial<SandboxRun> = {},
): Promise<SandboxResult> {
  return runSandboxed({
    view: viewOf(authority),
    limits: DEFAULT_CHILD_LIMITS,
    command: more.command ?? { ...programOf(name), args, cwd: workspace, environment: {} },
    timeoutMs: 20_000,
    outputBytesMax: 1_000_000,
    signal: new AbortController().signal,
    ...more,
  });
}

/** What a child wrote to both outputs, for looking whether a secret is among it. */
export const everything = ({ stdout, stderr }: SandboxResult): string => stdout.toString() + stderr.toString();
