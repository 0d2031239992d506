/** Hooks as agents run them: by a shell, with JSON on stdin; everything but a clear yes has to block. */

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ExecutionView } from "@femtoclaw/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSettings, replaceSettings } from "../../src/hook/settings-file.ts";
import { Playground } from "../playground.ts";

let place: Playground;
beforeAll(async () => {
  place = new Playground();
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const asked = (tool: string, input: object = {}) =>
  JSON.stringify({ hook_event_name: "PreToolUse", session_id: "s", tool_name: tool, tool_input: input });

interface Settings {
  readonly hooks: {
    readonly PreToolUse: { readonly hooks: { readonly command: string; readonly timeout: number }[] }[];
  };
}

async function commandFor(kind: string): Promise<string> {
  const { stdout } = await place.run(["hook", "install", kind]);
  return (JSON.parse(stdout) as Settings).hooks.PreToolUse[0]?.hooks[0]?.command ?? "";
}

/** As an agent does: with its own folder and next to no variables. */
function run(command: string, input: string): { status: number | null; stdout: string; stderr: string } {
  const { HOME, PATH } = place.environment;
  const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", command], {
    input,
    cwd: "/",
    encoding: "utf8",
    env: { HOME, PATH } as NodeJS.ProcessEnv,
  });
  return { status, stdout, stderr };
}

test("tools of the host are left to it in silence, and the agent's own are blocked with a reason, and recorded", async () => {
  const command = await commandFor("claude");
  expect(run(command, asked("mcp__femtoclaw__fs_read"))).toEqual({ status: 0, stdout: "", stderr: "" });
  const blocked = run(command, asked("Bash", { command: "rm -rf / # \u202e" }));
  expect(blocked).toMatchObject({ status: 2, stdout: "", stderr: expect.stringContaining("the tool Bash is blocked") });
  expect(blocked.stderr).toContain("use one of");
  for (const tool of ["mcp__femtoclaw__fs_list", "mcp__other__fs_read", "fs_read", "mcp__femtoclaw__constructor", ""]) {
    expect(run(command, asked(tool)), tool).toMatchObject({ status: 2, stdout: "" });
  }
  const [, newest] = (await place.executions()).toReversed().filter(({ tool }) => tool === null);
  expect(newest).toBeDefined();
  const { stdout } = await place.run(["--json", "executions", "show", (newest as ExecutionView).execution_id]);
  expect(stdout).toContain("claude wanted to use its own tool");
});

test("every failure of the hook blocks, when it is tried by the command as well", async () => {
  const { code, value } = await place.json<{ what: string; ok: boolean; found: string }[]>(["hook", "test", "codex"]);
  expect(code).toBe(0);
  expect(value.map(({ what }) => what)).toHaveLength(9);
  expect(value.filter(({ ok }) => !ok)).toEqual([]);
  expect(value.filter(({ found }) => found === "blocked")).toHaveLength(8);
});

test("doctor runs the hook that agents find by themselves, and tells one that asks somebody else", async () => {
  const hooks = async () =>
    (await place.run(["doctor"])).stdout.split("\n").find((line) => line.includes("agents' hooks"));
  expect(await hooks()).toContain("none is where agents look by themselves");
  const path = join(place.root, "h/.claude/settings.json");
  expect(await place.run(["hook", "install", "claude", "--write", path, "--yes"])).toMatchObject({ code: 0 });
  expect(await hooks()).toMatch(/^ok .*run with 7 things that go wrong, and blocked each time; in \S+settings\.json$/);
  place.write("h/.claude/settings.json", readFileSync(path, "utf8").replace("femtoclaw.toml", "other.toml"));
  expect(await hooks()).toMatch(/^warn .*a hook of another configuration/);
});

test("a host that hangs, and an agent that keeps its side open, are waited for within bounds", async () => {
  await using other = new Playground();
  // It takes connections and never answers.
  mkdirSync(other.runtime, { mode: 0o700 });
  const server = createServer().listen(join(other.runtime, "agent.sock"));
  await once(server, "listening");
  const started = (input: string | null) => {
    const child = other.spawn(["hook", "claude"]);
    child.stdin.on("error", () => undefined);
    if (input !== null) child.stdin.end(input);
    return child;
  };
  const children = [started(asked("mcp__femtoclaw__fs_read")), started(null)];
  const said = children.map((child) => once(child.stderr, "data"));
  const ended = await Promise.all(children.map((child) => once(child, "exit")));
  expect(ended.map(([code]) => code)).toEqual([2, 2]);
  for (const [text] of await Promise.all(said)) expect(String(text)).toContain("no answer came within");
  server.close();
});

test("a configuration that is none, and more than an agent ever tells, block", async () => {
  const command = (await commandFor("claude")).replace(/'--config' '[^']*'/, "'--config' '/etc/passwd'");
  expect(run(command, asked("mcp__femtoclaw__fs_read"))).toMatchObject({ status: 2, stdout: "" });
  const huge = asked("mcp__femtoclaw__fs_read", { content: "x".repeat(6_000_000) });
  expect(run(await commandFor("claude"), huge)).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("bytes were told"),
  });
});

describe("hook install --write", () => {
  const install = (...args: string[]) => place.run(["hook", "install", "claude", "--write", ...args]);

  test("shows the change, writes only what was agreed to, and keeps what is there", async () => {
    const mine = {
      model: "opus",
      hooks: { Stop: [], PreToolUse: [{ matcher: "Bash", hooks: [{ type: "command", command: "mine" }] }] },
    };
    const path = place.write("p/settings.json", JSON.stringify(mine, null, 4));
    const refused = await install("settings.json");
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("+ ") });
    expect(readFileSync(path, "utf8")).toBe(JSON.stringify(mine, null, 4));
    expect(await install("settings.json", "--yes")).toMatchObject({ code: 0 });
    const written = readFileSync(path, "utf8");
    expect(JSON.parse(written)).toMatchObject({
      model: "opus",
      hooks: { Stop: [], PreToolUse: [mine.hooks.PreToolUse[0], { hooks: [{ timeout: 60 }] }] },
    });
    expect(written).toContain('\n    "model"');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await install("settings.json", "--yes")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("has it already"),
    });
    // An older hook of ours makes place for the one of now.
    writeFileSync(path, written.replace("'hook' 'claude'", "'hook' 'claude' 'older'"));
    expect(await install("settings.json", "--yes")).toMatchObject({ code: 0 });
    expect(readFileSync(path, "utf8")).toBe(written);
  });

  test("makes a file that is not there, follows a link of the user's, and leaves what it does not understand", async () => {
    expect(await install("new/settings.json", "--yes")).toMatchObject({ code: 0 });
    expect(statSync(join(place.project, "new/settings.json")).mode & 0o777).toBe(0o600);
    symlinkSync(join(place.project, "new/settings.json"), join(place.project, "linked.json"));
    expect(await install("linked.json", "--yes")).toMatchObject({ stderr: expect.stringContaining("has it already") });
    symlinkSync(join(place.root, "nowhere"), join(place.project, "dangling.json"));
    for (const [name, content] of [
      ["comments.json", "{ // mine\n}"],
      ["list.json", "[]"],
      ["odd.json", '{"hooks":{"PreToolUse":"mine"}}'],
      ["dangling.json", null],
    ] as const) {
      if (content !== null) place.write(`p/${name}`, content);
      expect(await install(name, "--yes"), name).toMatchObject({ code: 64 });
      if (content !== null) expect(readFileSync(join(place.project, name), "utf8")).toBe(content);
    }
  });
});

test("settings are written where one who was killed has left a half, of which nothing stays", () => {
  const left = (name: string) => place.write(`killed/.${name}.00000000-0000-4000-8000-000000000001`, '{"ho');
  const path = place.write("killed/mine.json", "{}");
  left("mine.json");
  replaceSettings(readSettings(path), "mine");
  left("new.json");
  replaceSettings(readSettings(join(place.root, "killed/new.json")), "new");
  expect(readdirSync(join(place.root, "killed")).toSorted()).toEqual(["mine.json", "new.json"]);
});

test("settings that somebody else changed meanwhile, or owns, are left as they are", () => {
  const path = place.write("settings/mine.json", "{}");
  const before = readSettings(path);
  writeFileSync(path, '{"newer":true}');
  expect(() => replaceSettings(before, "mine")).toThrow("has changed since it was read");
  const none = readSettings(join(place.root, "settings/none.json"));
  place.write("settings/none.json", "theirs");
  expect(() => replaceSettings(none, "mine")).toThrow("EEXIST");
  expect(readFileSync(path, "utf8")).toBe('{"newer":true}');
  expect(readdirSync(join(place.root, "settings")).toSorted()).toEqual(["mine.json", "none.json"]);
  if (process.getuid?.() !== 0) return;
  chownSync(path, 1, 1);
  expect(() => readSettings(path)).toThrow("belongs to user 1");
});

test("the extension of pi blocks what is blocked, and whatever goes wrong in it", async () => {
  const { stdout } = await place.run(["hook", "install", "pi"]);
  const handlerIn = async (name: string, text: string) => {
    let handler: (event: object) => Promise<unknown> = () => Promise.reject(new Error("none was registered"));
    const { default: extension } = (await import(pathToFileURL(place.write(name, text)).href)) as {
      default: (pi: object) => void;
    };
    extension({ on: (_event: string, listener: typeof handler) => (handler = listener) });
    return handler;
  };
  const handler = await handlerIn("hook.mjs", stdout);
  expect(await handler({ toolName: "fs_read", input: { path: "notes.txt" } })).toBe(undefined);
  expect(await handler({ toolName: "bash", input: { command: "id" } })).toEqual({
    block: true,
    reason: expect.stringContaining("the tool bash is blocked"),
  });
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  expect(await handler({ toolName: "fs_read", input: circular })).toMatchObject({ block: true });
  const shellGone = await handlerIn("gone.mjs", stdout.replace("/bin/sh", "/nowhere/sh"));
  expect(await shellGone({ toolName: "fs_read", input: {} })).toMatchObject({ block: true });
});
