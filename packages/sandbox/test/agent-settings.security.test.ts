/** What of a project is hidden from an agent: wherever it begins, through links, and never the agent itself. */
import { expect, test } from "vitest";
import { withAgentSettings } from "../src/views/agent-settings.ts";
import type { Inspection, PathState } from "../src/views/inspection.ts";
import type { Mount } from "../src/views/mounts.ts";
import type { SandboxView } from "../src/views/view.ts";

const WORKSPACE = "/home/me/project";
const MOUNTS: readonly Mount[] = [
  { kind: "tmpfs", path: "/tmp" },
  { kind: "readOnly", path: "/usr" },
  { kind: "readOnly", path: "/home/me/.opencode" },
  { kind: "readWrite", path: WORKSPACE },
  { kind: "maskFolder", path: `${WORKSPACE}/secret` },
];

function hidden(
  states: Readonly<Record<string, PathState>>,
  more: { cwd?: string; program?: string; texts?: Readonly<Record<string, string>> } = {},
) {
  const { cwd = WORKSPACE, program = "/usr/bin/codex", texts = {} } = more;
  const view = { mounts: MOUNTS, authority: { workspace: WORKSPACE } } as unknown as SandboxView;
  const inspection: Inspection = {
    architecture: "x64",
    stateOf: (path) => states[path] ?? { kind: "missing" },
    linkText: (path) => {
      const state = states[path];
      return texts[path] ?? (state?.kind === "link" ? state.target : null);
    },
    isReadable: () => false,
    findProgram: () => null,
  };
  const settings = { files: [{ path: "/tmp/.codex/config.toml", content: "x" }], tunnel: null, hidesProject: true };
  const command = { cwd, program, realPath: program };
  const { mounts } = withAgentSettings(view, command, settings, inspection);
  expect(mounts.slice(0, MOUNTS.length)).toEqual(MOUNTS);
  // Nothing hides what is written for it.
  expect(mounts.at(-1)).toMatchObject({ kind: "written", path: "/tmp/.codex/config.toml" });
  return mounts.slice(MOUNTS.length, -1).map(({ kind, path }) => `${kind} ${path}`);
}

test("settings are hidden in the folder of an agent and in each above it, as what they are", () => {
  const states = {
    [`${WORKSPACE}/.mcp.json`]: { kind: "file" },
    [`${WORKSPACE}/a/.codex`]: { kind: "directory" },
    [`${WORKSPACE}/a/b/opencode.jsonc`]: { kind: "file" },
    [`${WORKSPACE}/a/CLAUDE.md`]: { kind: "file" },
    [`${WORKSPACE}/other/.codex`]: { kind: "directory" },
    // Above what is shown there is nothing to hide.
    "/home/me/.claude": { kind: "directory" },
    "/tmp/.codex": { kind: "directory" },
  } as const;
  expect(hidden(states, { cwd: `${WORKSPACE}/a/b` })).toEqual([
    `maskFile ${WORKSPACE}/a/b/opencode.jsonc`,
    `maskFolder ${WORKSPACE}/a/.codex`,
    `maskFile ${WORKSPACE}/.mcp.json`,
  ]);
});

test("a link hides what it leads to, where that is shown at all", () => {
  const link = (target: string): PathState => ({ kind: "link", target });
  const states: Record<string, PathState> = {
    [`${WORKSPACE}/.claude`]: link(`${WORKSPACE}/tools/claude`),
    [`${WORKSPACE}/tools/claude`]: { kind: "directory" },
    [`${WORKSPACE}/.mcp.json`]: link("/etc/shadow"),
    "/etc/shadow": { kind: "file" },
    [`${WORKSPACE}/.codex`]: link(`${WORKSPACE}/secret/codex`),
    [`${WORKSPACE}/secret/codex`]: { kind: "directory" },
    [`${WORKSPACE}/opencode.json`]: link(`${WORKSPACE}/tools/claude/opencode.json`),
    [`${WORKSPACE}/tools/claude/opencode.json`]: { kind: "file" },
  };
  expect(hidden(states)).toEqual([`maskFolder ${WORKSPACE}/tools/claude`]);
  // One that leads to the whole project hides the project, in which then nothing is started.
  expect(hidden({ [`${WORKSPACE}/.pi`]: link(WORKSPACE), [WORKSPACE]: { kind: "directory" } })).toEqual([
    `maskFolder ${WORKSPACE}`,
  ]);
});

test("no agent begins where a link could lead it to other settings than those that are hidden", () => {
  const evil = `${WORKSPACE}/evil`;
  const states: Record<string, PathState> = {
    [evil]: { kind: "directory" },
    [`${WORKSPACE}/.codex`]: { kind: "link", target: evil },
  };
  const at = `${WORKSPACE}/.codex`;
  for (const text of ["evil", "./evil", "../project/evil", evil]) {
    expect(hidden(states, { texts: { [at]: text } })).toEqual([`maskFolder ${evil}`]);
  }
  // In the sandbox some of these lead to what the agent began in.
  for (const text of ["/proc/self/cwd/evil", "a-link", "a-link/../evil", "../project/a-link/../evil", `${evil}/.`]) {
    expect(() => hidden(states, { texts: { [at]: text } })).toThrow("does not point directly");
  }
  expect(() => hidden({}, { texts: { [at]: "/proc/self/cwd/nowhere" } })).toThrow("does not point directly");
});

test("an agent that is installed in such a folder of a home is there, one of the project is not", () => {
  const states = {
    "/home/me/.opencode": { kind: "directory" },
    [`${WORKSPACE}/.opencode`]: { kind: "directory" },
  } as const;
  const ofProject = `maskFolder ${WORKSPACE}/.opencode`;
  expect(hidden(states, { program: "/home/me/.opencode/bin/opencode" })).toEqual([ofProject]);
  expect(hidden(states)).toEqual([ofProject, "maskFolder /home/me/.opencode"]);
  expect(hidden(states, { program: `${WORKSPACE}/.opencode/bin/opencode` })).toContain(ofProject);
});
