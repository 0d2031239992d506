/** Started where things are missing: each command works, or says what it needs and how to give it; none breaks off with a bug. */
import { once } from "node:events";
import { mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { RESERVE_BYTES } from "@femtoclaw/journal";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { COMMAND, CONFIGURATION, Playground, toolCall } from "./playground.ts";

/** `LIMIT` open files, files of `BLOCKS` times 512 bytes, a folder that is gone where `GONE` names one, one whose name is no text in `INTO`, and closed what `CLOSED` names. */
const SHELL = `if [ -n "$LIMIT" ]; then ulimit -n "$LIMIT" || exit 99; fi
if [ -n "$BLOCKS" ]; then ulimit -f "$BLOCKS" || exit 99; fi
if [ -n "$GONE" ]; then cd "$GONE" && rmdir "$GONE" || exit 99; fi
if [ -n "$INTO" ]; then cd "$INTO/$(printf 'n\\377')" || exit 99; fi
case "$CLOSED" in in) exec <&-;; out) exec >&-;; all) exec <&- >&- 2>&-;; full) exec >/dev/full;; esac
exec "$@"`;
const command: readonly [string, ...string[]] = ["/bin/sh", "-c", SHELL, "sh", ...COMMAND];

/** More sockets than connections that a host with few open files could take. */
const AGENTS = ["a", "b", "c", "d"].map((name) => `[agent.${name}.allow]\nread = ["."]\n`).join("");

let place: Playground;
let host: number;
beforeAll(async () => {
  place = new Playground(`${CONFIGURATION}${AGENTS}`, command);
  host = (await place.up([], { env: { LIMIT: "1024" } })).pid;
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test("with too few open files no host starts, and both ways to start one say why", async () => {
  for (const LIMIT of ["32", "64", "256", "1023"]) {
    for (const args of [["up"], ["up", "--detach"]]) {
      const { code, stderr } = await place.run(args, { env: { LIMIT } });
      expect(code, stderr).toBe(69);
      expect(stderr).toMatch(
        new RegExp(
          `^femtoclaw: FEMTO_SURROUNDINGS: this process may have ${LIMIT} files open.*\\n {2}fix: .*ulimit -n`,
        ),
      );
    }
  }
  const { value } = await place.json<{ check: string; verdict: string }[]>(["doctor"], { env: { LIMIT: "64" } });
  expect(value.find(({ check }) => check === "open files")).toMatchObject({ verdict: "fail" });
});

test("where it may write no file as large as its reserve no host starts, instead of taking its disk for full", async () => {
  const BLOCKS = String(RESERVE_BYTES / 512 - 1);
  for (const args of [["up"], ["up", "--detach"]]) {
    const { code, stderr } = await place.run(args, { env: { BLOCKS } });
    expect({ code, stderr }).toEqual({
      code: 69,
      stderr: expect.stringMatching(
        /^femtoclaw: FEMTO_SURROUNDINGS: .* write files of up to \d+ bytes.*\n {2}fix: .*ulimit -f/,
      ),
    });
  }
  const { value } = await place.json<{ check: string; verdict: string }[]>(["doctor"], { env: { BLOCKS } });
  expect(value.find(({ check }) => check === "file size")).toMatchObject({ verdict: "fail" });
});

test("agents that hold all connections they can get leave a host without descriptors alive, and calls are told", async () => {
  const names = ["agent.sock", ...["a", "b", "c", "d"].map((name) => `agent-${name}.sock`)];
  const held: Socket[] = [];
  for (const name of names) {
    for (let count = 0; count < 256; count += 1) {
      const socket = connect(join(place.runtime, name)).on("error", () => undefined);
      held.push(socket);
      await Promise.race([once(socket, "connect"), once(socket, "close")]);
    }
  }
  onTestFinished(() => {
    for (const socket of held) socket.destroy();
  });
  // A connection stands before its host has taken it.
  await expect.poll(() => readdirSync(`/proc/${host}/fd`).length, { timeout: 60_000 }).toBeGreaterThan(1_000);
  const [first, ...others] = held;
  const message = Buffer.from(JSON.stringify(toolCall("process_exec", { bin: "echo", argv: ["hi"] }))).toString(
    "base64",
  );
  let said = "";
  first?.on("data", (piece) => {
    said += String(piece);
  });
  const alive = others.filter(({ destroyed }) => !destroyed);
  // From none that is left to as many as a program needs, and more than enough for the one that is prepared behind it.
  for (let id = 1; id <= 40; id += 1) {
    first?.write(`${JSON.stringify({ id, verb: "propose", message })}\n`);
    await expect.poll(() => said.split("\n").length).toBe(id + 1);
    // The host has taken the oldest; the newest may still wait for it.
    alive.shift()?.destroy();
  }
  const replies = said
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).value);
  const codes: string[] = replies.map(({ status, error }) => error?.code ?? status);
  const told = ["FEMTO_FACTS_FAILED", "FEMTO_OS_REFUSED", "FEMTO_SANDBOX_UNAVAILABLE", "completed"];
  expect(codes.filter((code) => !told.includes(code))).toEqual([]);
  expect(codes[0]).not.toBe("completed");
  for (const socket of held) socket.destroy();
  await expect
    .poll(async () => (await place.propose("process_exec", { bin: "echo", argv: ["hi"] })).status)
    .toBe("completed");
});

test("a HOME that is no folder is named, and nothing is called wrong that is not", async () => {
  const project = place.folder("elsewhere");
  const env = { HOME: "/dev/null", FEMTOCLAW_CONFIG: undefined };
  const status = await place.run(["status"], { env, cwd: project });
  expect([status.code, status.stderr]).toEqual([
    78,
    expect.stringMatching(/^femtoclaw: FEMTO_CONFIG_NOT_FOUND: there is no configuration: .*\n {2}fix: /),
  ]);
  const init = await place.run(["init"], { env, cwd: project });
  expect([init.code, init.stderr]).toEqual([
    78,
    expect.stringMatching(
      /^femtoclaw: FEMTO_CONFIG_INVALID: \S+ `\/dev\/null\/\S+` uses a file as a folder: set HOME to a folder of yours, or set the path of the state directory here\n {2}fix: .*\n$/,
    ),
  ]);
  expect(readdirSync(project)).toEqual([]);
});

test("a folder that is gone, and none for temporary files, are named", async () => {
  const gone = join(place.root, "gone");
  mkdirSync(gone);
  const status = await place.run(["status"], { env: { GONE: gone } });
  expect([status.code, status.stderr]).toEqual([
    69,
    expect.stringMatching(/^femtoclaw: FEMTO_SURROUNDINGS: the current folder .*ENOENT.*\n {2}fix: /),
  ]);
  mkdirSync(gone);
  expect((await place.run(["--help"], { env: { GONE: gone } })).code).toBe(0);
  rmdirSync(place.folder("gone"));
  for (const TMPDIR of [join(place.root, "missing"), "/proc"]) {
    const verified = await place.run(["audit", "verify"], { env: { TMPDIR } });
    expect([verified.code, verified.stderr]).toEqual([
      69,
      expect.stringMatching(/^femtoclaw: FEMTO_SURROUNDINGS: no folder can be made in .*\n {2}fix: Set TMPDIR/),
    ]);
  }
});

test("a folder whose name is no text is not taken for another one", async () => {
  const folder = Buffer.concat([Buffer.from(`${place.folder("odd")}/n`), Buffer.from([0xff])]);
  mkdirSync(folder);
  for (const there of [false, true]) {
    // What the bytes are read as: a folder that is not there, and one that is.
    if (there) mkdirSync(join(place.root, "odd/n\ufffd"));
    const made = await place.run(["init"], { env: { INTO: join(place.root, "odd") } });
    expect([made.code, made.stderr]).toEqual([
      69,
      expect.stringMatching(/FEMTO_SURROUNDINGS: the current folder .* or to none\n {2}fix: .* not UTF-8, rename/),
    ]);
    expect(readdirSync(place.folder("odd")).length).toBe(there ? 2 : 1);
  }
  expect(readdirSync(join(place.root, "odd/n\ufffd"))).toEqual([]);
  rmdirSync(folder);
});

test("a home in which nothing can be made, as in /proc, is told of at once", async () => {
  const project = place.folder("empty");
  for (const HOME of ["/proc", "/proc/self/missing", "/sys/missing"]) {
    const env = { HOME, XDG_RUNTIME_DIR: undefined, FEMTOCLAW_CONFIG: undefined };
    const { code, stderr } = await place.run(["init"], { cwd: project, env });
    expect([code, stderr]).toEqual([
      69,
      expect.stringMatching(
        /^femtoclaw: FEMTO_SURROUNDINGS: the folder .* cannot be made \(E[A-Z]+\)\n {2}fix: Set HOME/,
      ),
    ]);
    rmSync(project, { recursive: true });
    place.folder("empty");
    const named = await place.run(["status"], { env: { HOME } });
    expect([named.code, named.stderr]).toEqual([
      0,
      expect.stringMatching(/^(?:the log cannot be remembered: E.*\n)?$/),
    ]);
  }
});

test("closed inputs and outputs, odd words of the environment and no HOME are no bugs", async () => {
  const odd: Record<string, string | undefined>[] = [
    { CLOSED: "in" },
    { CLOSED: "out" },
    { CLOSED: "all" },
    { LANG: "xx_YY.KLINGON", LC_ALL: "none", TERM: "none", COLUMNS: "many", LINES: "-1" },
    ...[undefined, "", "not/absolute"].map((HOME) => ({ HOME })),
  ];
  for (const env of odd) {
    for (const args of [["status"], ["executions", "list"], ["call", "fs_read", '{"path":"notes.txt"}']]) {
      const { code, stderr } = await place.run(args, { env });
      expect([env, args[0], code, stderr.includes("FEMTO_")]).toEqual([env, args[0], 0, false]);
    }
  }
  const full = await place.run(["status"], { env: { CLOSED: "full" } });
  expect([full.code, full.stderr]).toEqual([2, "femtoclaw: its output cannot be written (ENOSPC)\n"]);
});

test("a reader that goes away ends a command quietly; help that was asked for is no mistake", async () => {
  place.write("nowhere/checkpoint", "none\n");
  for (const [args, expected] of [
    [`audit verify ${join(place.root, "nowhere")}`, 1],
    [`--json audit verify ${join(place.root, "nowhere")}`, 1],
    ...["executions list --all", "status", "policy show", "capabilities list", "audit log", "--help", "replay"].map(
      (args) => [args, 0] as const,
    ),
  ] as const) {
    const child = place.spawn(args.split(" "));
    let stderr = "";
    child.stderr.on("data", (piece) => {
      stderr += String(piece);
    });
    child.stdout.destroy();
    const [code] = (await once(child, "close")) as [number];
    expect([args, code, stderr]).toEqual([args, expected, ""]);
  }
  for (const [args, expected] of [
    [["help"], 0],
    [["help", "call"], 0],
    [["call", "--help"], 0],
    [[], 64],
  ] as const) {
    expect((await place.run(args)).code, args.join(" ")).toBe(expected);
  }
});
