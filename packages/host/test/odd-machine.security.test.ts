/** A machine that is not as it should be: a clock that was set back, and file systems that cannot be written to. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMAND, CONFIGURATION, Playground } from "./playground.ts";

const ASKING = CONFIGURATION.replace('write = ["out"]\n', "").replace("[deny]", '[ask]\nwrite = ["out"]\n[deny]');

/** Any command, with the folder that `READ_ONLY` names mounted read-only where it names one. */
const MOUNT = 'mount --bind "$READ_ONLY" "$READ_ONLY" && mount -o remount,bind,ro "$READ_ONLY" || exit 99';
const SHELL = `if [ -n "$READ_ONLY" ]; then ${MOUNT}; fi; exec "$@"`;
const isRoot = process.getuid?.() === 0;
/**
 * An ordinary user mounts only in a user namespace. There the folders of root belong to nobody, and below such folders no
 * host makes its sockets.
 */
const canMount = isRoot;
const mounting: readonly [string, ...string[]] = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", SHELL, "sh", ...COMMAND];

describe("where a host has left a question and a journal", () => {
  let place: Playground;
  beforeAll(async () => {
    place = new Playground(ASKING, canMount ? mounting : COMMAND);
    await place.up();
    expect(await place.propose("fs_write", { path: "out/a", content: "x", mode: "create" })).toMatchObject({
      status: "pending",
    });
    await place.down();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  const journal = (): Buffer => readFileSync(join(place.state, "journal/CURRENT"));

  test.runIf(canMount)("a read-only state directory is told of as that, and not as damage", async () => {
    const before = journal();
    const env = { READ_ONLY: place.state };
    const [up, detached, looked] = await Promise.all([
      place.run(["up"], { env }),
      place.run(["up", "--detach"], { env }),
      place.json<{ check: string; verdict: string; detail: string }[]>(["doctor"], { env }),
    ]);
    for (const { code, stderr } of [up, detached]) {
      expect(code).toBe(70);
      expect(stderr).toMatch(
        /FEMTO_JOURNAL_WRITE_FAILED: .*(Read-only file system|EROFS)\n {2}fix: Let the host write/,
      );
    }
    const disk = looked.value.find(({ check }) => check === "disk");
    expect([looked.code, disk?.verdict, disk?.detail]).toEqual([1, "fail", expect.stringContaining("EROFS")]);
    expect(journal()).toEqual(before);
  });

  test.runIf(canMount)("so are a folder for sockets, and one in which state would have to be made", async () => {
    const [sockets, state] = await Promise.all([
      place.run(["up"], { env: { READ_ONLY: place.runtime } }),
      place.run(["--state", join(place.root, "new/c/d"), "up"], {
        env: { READ_ONLY: place.folder("new") },
      }),
    ]);
    expect(sockets).toMatchObject({ code: 78, stderr: expect.stringMatching(/FEMTO_SOCKET_PATH: .*\(EROFS\)/) });
    expect(state).toMatchObject({ code: 70, stderr: expect.stringMatching(/FEMTO_STATE_OWNER: .*new\/c\/d.*EROFS/) });
  });

  test("where users have no numbers, as on Windows, nothing is believed and nothing is opened", async () => {
    const before = journal();
    const numbers = ["getuid", "geteuid", "getgid", "getegid"];
    const without = numbers.map((name) => `Object.defineProperty(process, "${name}", { value: undefined });`).join("");
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(without)}` };
    const commands = [["up"], ["init", place.folder("fresh")], ["audit", "verify", place.state]];
    const [looked, ...refused] = await Promise.all([
      place.json<{ check: string; verdict: string; detail: string }[]>(["doctor"], { env }),
      ...commands.map((command) => place.run(command, { env })),
    ]);
    for (const { code, stderr } of refused) {
      expect([code, stderr]).toEqual([69, expect.stringMatching(/FEMTO_PLATFORM_UNSUPPORTED: .*\n {2}fix: Use Linux/)]);
    }
    const failed = looked.value.filter(({ verdict }) => verdict === "fail").map(({ check }) => check);
    expect([looked.code, failed]).toEqual([1, ["user", "configuration"]]);
    expect(readdirSync(place.folder("fresh"))).toEqual([]);
    expect(journal()).toEqual(before);
  });

  test("a clock that is set back by ten years extends no question, and the log goes on and verifies", async () => {
    const back = "const at = performance.timeOrigin - 315576e6;"
      .concat('Object.defineProperty(performance, "timeOrigin", { get: () => at });')
      .concat("const Now = Date; globalThis.Date = class extends Now { constructor(...of) {")
      .concat("if (of.length === 0) super(Now.now() - 315576e6); else super(...of); }")
      .concat("static now() { return Now.now() - 315576e6; } };");
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(back)}` };
    const host = await place.up([], { env });
    expect(host.log()).toMatch(/"at":"20[12]\d-/);
    expect(host.log()).not.toContain(`"at":"${new Date().getFullYear()}-`);
    await using operator = await place.operator();
    expect(await operator.approvals()).toEqual([]);
    await place.propose("fs_read", { path: "notes.txt" });
    await place.down();
    const { code, value } = await place.json<{ verdict: string }>(["audit", "verify"]);
    expect([code, value.verdict]).toEqual([0, "verified"]);
    expect((await place.executions()).map(({ status }) => status)).toEqual(["completed", "denied"]);
  });
});

const OWN_TMP = "the log of a host that has a /tmp of its own is verified while it runs, and nothing of that stays";
test.runIf(canMount)(OWN_TMP, async () => {
  const hidden = 'mount -t tmpfs none "$TMPDIR" || exit 99; exec "$@"';
  await using place = new Playground(CONFIGURATION);
  const command = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", hidden, "sh", ...COMMAND] as const;
  await using outside = new Playground(CONFIGURATION, command);
  const env = { ...place.environment, TMPDIR: place.folder("t") };
  await place.up();
  const { code, stderr } = await outside.run(["audit", "verify"], { cwd: place.project, env });
  expect([code, stderr]).toEqual([0, expect.not.stringContaining("FEMTO")]);
  expect(readdirSync(place.state).filter((name) => name.includes("audit"))).toEqual([]);
  // What the host wrote is not said to be there where the command sees nothing of it.
  const out = join(place.root, "t/log.jsonl");
  const exported = await outside.run(["audit", "export", "--format", "jsonl", "--out", out], {
    cwd: place.project,
    env,
  });
  expect([exported.code === 0, exported.stdout]).toEqual([false, ""]);
  expect(exported.stderr).toMatch(/FEMTO_EXPORT_FAILED: the host wrote .* to a place that is not visible here/);
});
