/**
 * What Cedar denies to `fs_read` and `fs_write`, a sandboxed child cannot do either: random tables over real
 * files, the real engine, and a child that tries to read, change and move everything.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { builtinCapabilities, ProgramDigests, takeFacts } from "@femtoclaw/capabilities";
import { compilePolicy, createPolicyEngine, NO_HISTORY, type PolicyEngine } from "@femtoclaw/policy";
import { type Authority, type Configuration, FemtoError, OBEYED_IN_REPOSITORY } from "@femtoclaw/protocol";
import { resolveConfiguration } from "@femtoclaw/runtime";
import { DEFAULT_CHILD_LIMITS, runSandboxed, type SandboxView, viewOf } from "@femtoclaw/sandbox";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";

const FOLDERS = ["ws", "ws/a", "ws/a/b", "ws/out", "ws/out/c", "ws/.git", "ws/.git/hooks", "data", "data/x", "own"];
const FILES = [...FOLDERS.map((folder) => `${folder}/f`), "ws/.envrc", "ws/.git/config"];

// Files as well as folders, since a denied file in a permitted folder is hidden in another way.
const place = fc.constantFrom(...FOLDERS.filter((name) => name !== "own"), "ws/a/f", "ws/out/c/f", "data/x/f");
const places = fc.uniqueArray(place, { maxLength: 3 });
const table = fc.record({ read: places, write: places });
const tables = fc.record({ allow: table, ask: fc.oneof(fc.constant({ read: [], write: [] }), table), deny: table });

/** A mark by which a file is known wherever it is moved to. */
const tokenOf = (index: number): string => `token-${String(index).padStart(3, "0")}`;
const MARK = "changed-by-a-child";

class Tree implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "fc-")));

  constructor() {
    for (const folder of [...FOLDERS, "state", "run"]) mkdirSync(join(this.root, folder), { recursive: true });
    for (const [index, name] of FILES.entries()) writeFileSync(join(this.root, name), `${tokenOf(index)}\n`);
  }

  /** The tables as a configuration; null where the tables are refused, which is no grant at all. */
  authority(granted: Pick<Configuration, "allow" | "ask" | "deny">): Authority | null {
    try {
      return resolveConfiguration({
        configuration: { workspace: "ws", memory: { path: "state" }, host: { runtime_dir: "run" }, ...granted },
        baseDirectory: this.root,
        ownPaths: [join(this.root, "own")],
        environment: { HOME: this.root },
      }).authority;
    } catch (error) {
      if (error instanceof FemtoError) return null;
      throw error;
    }
  }

  /** Indices of the files that a child changed, wherever they are now. */
  changed(): ReadonlySet<number> {
    const contents = readdirSync(this.root, { recursive: true, withFileTypes: true, encoding: "utf8" })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
    const changed = contents.filter((content) => content.includes(MARK)).join("");
    return new Set([...FILES.keys()].filter((index) => changed.includes(tokenOf(index))));
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Reads, changes and moves whatever it can; each step goes on when the one before failed. */
const SCRIPT = `
for file in "$@"; do cat "$file"; done
for file in "$@"; do folder=\${file%/*}; mv "$folder" "$folder.away" && cat "$folder.away"/*; mv "$folder.away" "$folder"; done
for file in "$@"; do ln "$file" "\${file%/*}/again" && cat "\${file%/*}/again"; done
for file in "$@"; do (echo ${MARK} >> "$file"); done
for file in "$@"; do cp "$file" "$file.copy" && (echo ${MARK} >> "$file.copy") && mv "$file.copy" "$file"; rm -f "$file.copy"; done
exit 0`;

let engine: PolicyEngine;
beforeAll(async () => {
  engine = await createPolicyEngine();
});

const MANIFESTS = builtinCapabilities.map(({ manifest }) => manifest);

/** The decision on one file by the facts of a real call: "allowed" or the code. */
async function decided(tool: string, path: string, authority: Authority, sandbox: SandboxView): Promise<string> {
  const manifest = MANIFESTS.find(({ name }) => name === tool);
  if (manifest === undefined) throw new Error(`no capability ${tool}`);
  const args = tool === "fs_read" ? { path } : { path, content: "x", mode: "append" };
  const taken = await takeFacts({ manifest, args, authority, sandbox, digests: new ProgramDigests() });
  if (!taken.ok) throw new Error(taken.reason);
  await using _bound = taken.bound;
  const decision = engine.decideAll({
    principal: "s",
    history: NO_HISTORY,
    capability: tool,
    questions: taken.facts.questions,
  });
  return decision.allowed ? "allowed" : decision.code;
}

it("holds for every file, whatever the tables say", async () => {
  const seen = new Map<string, number>();
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);
  await fc.assert(
    fc.asyncProperty(tables, async (granted) => {
      using tree = new Tree();
      const absolute = (names: readonly string[]): string[] => names.map((name) => join(tree.root, name));
      const [allow, ask, deny] = [granted.allow, granted.ask, granted.deny].map(({ read, write }) => ({
        read: absolute(read),
        write: absolute(write),
      }));
      const authority = tree.authority({ ...(allow && { allow }), ...(ask && { ask }), ...(deny && { deny }) });
      if (authority === null) return count("refused");
      engine.activate(compilePolicy({ authority, manifests: MANIFESTS }));
      const view = viewOf(authority);
      const paths = absolute(FILES);
      const verdicts = await Promise.all(
        paths.map(async (path) => ({
          read: await decided("fs_read", path, authority, view),
          write: await decided("fs_write", path, authority, view),
        })),
      );
      const ran = await runSandboxed({
        view,
        limits: DEFAULT_CHILD_LIMITS,
        command: {
          program: "/usr/bin/sh",
          realPath: realpathSync("/usr/bin/sh"),
          cwd: "/usr",
          args: ["-c", SCRIPT, "sh", ...paths],
          environment: {},
        },
        timeoutMs: 20_000,
        outputBytesMax: 1_000_000,
        signal: new AbortController().signal,
      });
      expect(ran.exitCode).toBe(0);
      const output = ran.stdout.toString();
      const changed = tree.changed();
      for (const [index, { read, write }] of verdicts.entries()) {
        const path = paths[index] ?? "";
        const name = `${relative(tree.root, path)}: ${read}, ${write}`;
        const isRead = output.includes(tokenOf(index));
        if (isRead) expect(isShown(path, read, authority), name).toBe(true);
        if (changed.has(index)) expect(write === "allowed" || isOfGit(path, write, tree), name).toBe(true);
        count(`${isRead ? "read" : "hidden"} ${read}`);
        count(`${changed.has(index) ? "changed" : "kept"} ${write}`);
      }
    }),
    { numRuns: 35 },
  );
  // Where children never got anywhere, nothing was tried. Tables at random give each of these dozens of times.
  for (const what of [
    "read allowed",
    "changed allowed",
    "hidden FEMTO_POLICY_FORBIDDEN",
    "kept FEMTO_POLICY_FORBIDDEN",
    "kept FEMTO_POLICY_NO_PERMIT",
  ]) {
    expect(seen.get(what) ?? 0, JSON.stringify([...seen])).toBeGreaterThan(5);
  }
});

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Without a rule that permits `fs_read`, a child sees the workspace and what it may write; with one that denies, never. */
function isShown(path: string, verdict: string, { workspace, allow }: Authority): boolean {
  if (verdict === "allowed") return true;
  const shown = [workspace, ...allow.write.map((grant) => grant.path)].some((folder) => isWithin(path, folder));
  return verdict === "FEMTO_POLICY_NO_PERMIT" && shown;
}

/** `fs_write` writes nothing in a repository; programs write what git does, and never what names programs. */
function isOfGit(path: string, verdict: string, { root }: Tree): boolean {
  if (verdict !== "FEMTO_POLICY_FORBIDDEN") return false;
  const within = relative(join(root, "ws"), path);
  return dirname(within).startsWith(".git") && !OBEYED_IN_REPOSITORY.some((part) => isWithin(within, part));
}
