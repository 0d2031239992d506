/** What an allowed program or file capability must not reach, tried through a real host. */
import { readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CONFIGURATION, type Host, Playground } from "./playground.ts";

const CANARY = "canary-7f3a9c-do-not-leak";

let place: Playground;
let host: Host;
beforeAll(async () => {
  place = new Playground(
    CONFIGURATION.replace("run = {", 'run = { env = [{ any = true, unsafe = true }], ls = ["*"],').replace(
      'read = ["."]',
      'read = [".", ".."]',
    ),
  );
  symlinkSync("/etc/shadow", join(place.project, "innocent.txt"));
  symlinkSync("secrets/token.txt", join(place.project, "link-to-secret.txt"));
  const secrets = { FEMTO_CANARY: CANARY, AWS_SECRET_ACCESS_KEY: CANARY, NODE_OPTIONS: "", LD_CANARY: CANARY };
  host = await place.up([], { env: secrets });
});
afterAll(() => place[Symbol.asyncDispose]());

test("a shell is denied by call and by send, and leaves a record", async () => {
  const message = '{"tool_call":{"tool":"process_exec","args":{"bin":"sh","argv":["-c","id"]}}}';
  const { code, stdout } = await place.run(["send"], { input: `${message}\n` });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    status: "denied",
    decision: "DENIED_POLICY_VIOLATION",
    record: { seq: expect.any(Number) },
  });
  for (const bin of ["sh", "/bin/sh", "/usr/bin/../bin/sh", "bash", "./sh", "env sh", "sh\n"]) {
    const reply = await place.propose("process_exec", { bin, argv: ["-c", "id"] });
    expect(reply).toMatchObject({ status: "denied", decision: expect.stringMatching(/^DENIED_/) });
    expect(JSON.stringify(reply)).not.toContain("uid=");
  }
});

describe("an allowed cat", () => {
  const targets: readonly (readonly [string, () => string])[] = [
    ["a denied file", () => "secrets/token.txt"],
    ["a denied file by its whole path", () => join(place.project, "secrets/token.txt")],
    ["a denied file through a link", () => "link-to-secret.txt"],
    ["a denied file through its process", () => "/proc/self/cwd/secrets/token.txt"],
    ["the configuration", () => join(place.project, "femtoclaw.toml")],
    ["the journal", () => join(place.state, "journal", "CURRENT")],
    ["the passwords", () => "/etc/shadow"],
    ["the passwords through a link", () => "innocent.txt"],
    ["the host's environment", () => `/proc/${host.pid}/environ`],
    ["the root of the first process", () => "/proc/1/root/etc/shadow"],
    ["the home of the host", () => String(place.environment["HOME"])],
    ["a kernel log", () => "/dev/kmsg"],
    ["the memory", () => "/dev/mem"],
  ];

  test.each(targets)("does not see %s", async (_name, path) => {
    const value = await place.propose("process_exec", { bin: "cat", argv: ["--", path()] });
    expect(value).toMatchObject({ status: "completed", result: { stdout: "" } });
    // A mask of a file is an empty one; everything else is not there or not to be read.
    const { exit_code: exitCode, stderr } = value.result as { exit_code: number; stderr: string };
    if (exitCode !== 0) expect(stderr).toMatch(/No such file|Permission denied|Is a directory|Operation not permitted/);
  });

  test("sees what is allowed", async () => {
    const value = await place.propose("process_exec", { bin: "cat", argv: ["notes.txt"] });
    expect(value).toMatchObject({ result: { exit_code: 0, stdout: "some notes\n" } });
  });
});

test("the file capabilities refuse the same places", async () => {
  const paths = [
    "secrets/token.txt",
    "link-to-secret.txt",
    "./secrets/../secrets/token.txt",
    "femtoclaw.toml",
    "policy/new.cedar",
    join(place.state, "journal", "CURRENT"),
    join(place.runtime, "agent.sock"),
    "/etc/shadow",
    "innocent.txt",
    "/proc/self/environ",
    `/proc/${host.pid}/environ`,
    "/dev/stdin",
  ];
  for (const path of paths) {
    for (const reply of [
      await place.propose("fs_read", { path }),
      await place.propose("fs_write", { path, content: "x", mode: "overwrite" }),
      await place.propose("fs_write", { path, content: "x", mode: "append" }),
    ]) {
      expect(["denied", "error"], `${path}: ${JSON.stringify(reply)}`).toContain(reply.status);
      expect(reply).not.toHaveProperty("result");
    }
  }
});

test("a child may write where writing is allowed and nowhere else", async () => {
  const write = (path: string) => place.propose("process_exec", { bin: "tee", argv: [path], stdin: "written\n" });
  expect(await write("out/by-tee.txt")).toMatchObject({ result: { exit_code: 0 } });
  expect(readFileSync(join(place.project, "out/by-tee.txt"), "utf8")).toBe("written\n");
  const own = ["notes.txt", "femtoclaw.toml", "policy/x.cedar"].map((name) => join(place.project, name));
  const others = [join(place.state, "x"), join(place.runtime, "agent.sock"), "/etc/x", "/usr/bin/x", "/tmp/fh-x", "/x"];
  const before = [...own, ...others].map(stateOf);
  // Some of these folders exist inside as empty ones of the child's own; what counts is what is outside.
  for (const path of [...own, ...others]) await write(path);
  expect([...own, ...others].map(stateOf)).toEqual(before);
});

function stateOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? `${path}: missing` : `${path}: ${status.size} bytes, ${status.mtimeMs}`;
}

test("the host's environment reaches neither child nor journal, status, replies or log", async () => {
  const value = await place.propose("process_exec", { bin: "env" });
  expect(value).toMatchObject({ status: "completed", result: { exit_code: 0 } });
  const names = String(value.result?.["stdout"])
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]);
  expect(names.toSorted()).toEqual(["HOME", "LANG", "PATH", "PWD", "TMPDIR"].filter((name) => names.includes(name)));
  const spoken = await Promise.all([
    place.run(["--json", "status"]),
    place.run(["--json", "executions", "list", "--all"]),
    place.run(["--json", "replay"]),
    place.run(["--json", "policy", "show"]),
  ]);
  for (const { code, stdout, stderr } of spoken) {
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(CANARY);
  }
  expect(host.log()).not.toContain(CANARY);
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
  const files = readdirSync(place.state, { recursive: true }).map((name) => join(place.state, String(name)));
  const contents = files.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, "latin1"));
  expect(contents.join("")).toContain("process_exec");
  expect(contents.join("")).not.toContain(CANARY);
  expect(contents.join("")).not.toContain("hunter2");
});
