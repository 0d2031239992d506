/** The life of a host and of a project: from `init` to `down`, again and again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { copyState } from "@femtoclaw/testing";
import { describe, expect, test } from "vitest";
import { type Answer, CONFIGURATION, Playground, proposal, toolCall } from "./playground.ts";

interface Replayed {
  readonly records: number;
  readonly snapshots_equal: number;
  readonly actors: unknown;
}

/** Runs a command until it has shown something. Returns what tells how it ended. */
async function untilShown(place: Playground, args: readonly string[]): Promise<() => Promise<object>> {
  const child = place.spawn(args);
  const said: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const ended = once(child, "close");
  await once(child.stdout, "data");
  child.stdout.resume();
  return async () => ({ code: (await ended)[0] as number | null, stderr: said.join("") });
}

describe("a new project", () => {
  test("goes from init over trust and calls to replay and down", async () => {
    await using place = new Playground();
    const project = place.folder("fresh");
    const env = { FEMTOCLAW_CONFIG: undefined };
    const run = (...args: string[]) => place.run(args, { cwd: project, env });
    const json = <T>(...args: string[]) => place.json<T>(args, { cwd: project, env });

    expect(await run("status")).toMatchObject({ code: 78, stderr: expect.stringContaining("femtoclaw init") });
    const init = await run("init", "--preset", "git");
    expect(init).toMatchObject({ code: 0, stdout: expect.stringContaining("/usr/bin/cat: any arguments") });
    expect((await run("init")).code).toBe(78);
    expect((await json<{ verdict: string }[]>("doctor")).code).toBe(0);
    expect(await json<{ valid: boolean }>("policy", "check")).toMatchObject({ code: 0, value: { valid: true } });

    place.write("fresh/femtoclaw.toml", `${readFileSync(join(project, "femtoclaw.toml"), "utf8")}# changed\n`);
    const changed = await run("up", "--detach");
    expect(changed).toMatchObject({ code: 78, stderr: expect.stringContaining("has changed") });
    const [, ...named] = /`femtoclaw (--config) (femtoclaw\.toml) (policy) (test)`/.exec(changed.stderr) ?? [];
    expect(named).toHaveLength(4);
    expect((await run(...named)).code).toBe(0);
    const trusted = await run("trust");
    expect(trusted).toMatchObject({ code: 0, stdout: expect.stringContaining("may run:\n") });
    expect(trusted.stderr).toContain("next: `femtoclaw up --detach`");

    const up = await json<{ pid: number; event: string; state: string }>("up", "--detach");
    expect(up.value).toMatchObject({ event: "ready", state: "idle", pid: expect.any(Number) });
    const argv = ["call", "process_exec", '{"bin":"ls"}', "--label", "from a script"];
    expect(await json(...argv)).toMatchObject({ code: 0, value: { status: "completed" } });
    expect(await json("call", "fs_write", '{"path":"policy/a","content":"","mode":"create"}')).toMatchObject({
      code: 77,
    });
    const list = await json<{ label: string; tool: string }[]>("executions", "list", "--state", "completed");
    expect(list.value).toMatchObject([{ tool: "process_exec", label: "from a script" }]);
    expect((await run("trust")).stderr).toContain("next: `femtoclaw reload`");
    const policy = await run("policy", "show");
    expect(policy.stdout).toContain("toml/allow.run.git/1 (femtoclaw.toml:");

    const running = await json<Replayed>("replay", "--to", "12");
    expect(await run("down")).toMatchObject({ code: 0, stdout: `stopped: process ${up.value.pid}\n` });
    const stopped = await json<Replayed>("replay", "--to", "12");
    expect(stopped.value).toEqual(running.value);
    expect(stopped.value.records).toBe(13);
    expect((await json<{ tool: string }[]>("executions", "list")).value).toHaveLength(2);
    const doctor = await run("doctor");
    expect(doctor.stdout).toMatch(/ok +journal +\d+ records/);
    expect(doctor.stderr).toMatch(/^no check failed; \d warnings?, which stops? nothing\n$/);

    expect(await run("trust", "--list")).toMatchObject({ stdout: expect.stringContaining(project) });
    expect(await run("trust", "--revoke")).toMatchObject({ code: 0, stdout: `${project} is not trusted any more\n` });
    expect(await run("status")).toMatchObject({ code: 78, stderr: expect.stringContaining("FEMTO_CONFIG_UNTRUSTED") });
  });
});

describe("the host", () => {
  test("says that it is ready in the promised shape, keeps its sockets private, drains on SIGTERM and ends with 0", async () => {
    await using place = new Playground();
    const host = await place.up();
    expect(host.ready).toEqual({
      event: "ready",
      pid: host.pid,
      boot: expect.stringMatching(/^[0-9a-f-]{36}$/),
      state: "idle",
      agent_socket: join(place.runtime, "agent.sock"),
      operator_socket: join(place.runtime, "operator.sock"),
      waiting: 0,
      unresolved: 0,
      not_ready: null,
    });
    expect(statSync(place.runtime).mode & 0o777).toBe(0o700);
    for (const name of ["agent.sock", "operator.sock"]) {
      expect(lstatSync(join(place.runtime, name)).mode & 0o777).toBe(0o600);
    }
    using agent = await place.socket("agent");
    agent.write(`${JSON.stringify(proposal(1, toolCall("process_exec", { bin: "sleep", argv: ["1"] })))}\n`);
    await expect.poll(async () => (await place.executions()).length).toBe(1);
    host.kill("SIGTERM");
    const [answer] = await agent.answers(1);
    expect(answer).toMatchObject({ id: 1, ok: true, value: { status: "completed" } });
    expect(await host.ended).toBe(0);
    expect(existsSync(join(place.runtime, "agent.sock"))).toBe(false);
    expect(await place.executions()).toMatchObject([{ status: "completed" }]);
  });

  test.each(["down --now", "a second signal"])(
    "is hurried by %s, and what ran is recorded as cancelled",
    async (way) => {
      await using place = new Playground();
      const host = await place.up();
      using agent = await place.socket("agent");
      agent.write(`${JSON.stringify(proposal(1, toolCall("process_exec", { bin: "sleep", argv: ["60"] })))}\n`);
      await expect.poll(async () => (await place.executions()).length).toBe(1);
      if (way === "down --now") {
        expect((await place.run(["down", "--now"])).code).toBe(0);
      } else {
        host.kill("SIGINT");
        await expect.poll(() => host.log()).toContain('"draining"');
        const { code, value } = await place.call("process_exec", { bin: "echo" });
        expect({ code, value }).toMatchObject({ code: 69, value: { record: null, error: { code: "FEMTO_DRAINING" } } });
        host.kill("SIGINT");
      }
      expect(await host.ended).toBe(0);
      const [answer] = await agent.answers(1);
      expect(answer).toMatchObject({ value: { status: "error", error: { code: "FEMTO_CAPABILITY_CANCELLED" } } });
    },
  );

  test("a second one on the same state directory is refused, and the first is unharmed", async () => {
    await using place = new Playground();
    const first = await place.up();
    const pid = first.pid;
    expect(await place.run(["up"])).toMatchObject({ code: 69, stderr: expect.stringContaining("FEMTO_HOST_RUNNING") });
    expect(await place.run(["up", "--detach"])).toMatchObject({ code: 69, stdout: "" });
    const elsewhere = place.write("p/other.toml", CONFIGURATION.replace("../run", "../run2"));
    const locked = await place.run(["--config", elsewhere, "up"]);
    expect(locked).toMatchObject({ code: 69, stderr: expect.stringContaining("FEMTO_JOURNAL_LOCKED") });
    const embedded = await place.run(["call", "process_exec", '{"bin":"echo"}', "--embedded"]);
    expect(embedded).toMatchObject({ code: 69, stderr: expect.stringContaining("FEMTO_JOURNAL_LOCKED") });
    expect(await place.json(["status"])).toMatchObject({ value: { pid, phase: "idle" } });
    expect(await place.call("process_exec", { bin: "echo" })).toMatchObject({ code: 0 });
    first.kill("SIGTERM");
    expect(await first.ended).toBe(0);
    expect((await place.json<{ records: number }>(["replay"])).code).toBe(0);
  });

  test("comes up over the sockets that a killed one left behind", async () => {
    await using place = new Playground();
    const first = await place.up();
    first.kill("SIGKILL");
    expect(await first.ended).toBe("SIGKILL");
    expect(existsSync(join(place.runtime, "agent.sock"))).toBe(true);
    expect((await place.run(["status"])).code).toBe(69);
    await place.up();
    expect(await place.json(["status"])).toMatchObject({ code: 0, value: { boots: 2, phase: "idle" } });
  });

  test("answers everybody who waits when it is stopped, and commands that follow it say why they end", async () => {
    await using place = new Playground(`${CONFIGURATION}[ask]\nread = ["notes.txt"]\n`.replace('read = ["."]\nw', "w"));
    const host = await place.up();
    const asked = await place.propose("fs_read", { path: "notes.txt" });
    expect(asked.status).toBe("pending");
    const calling = place.run(["--json", "call", "fs_read", '{"path":"notes.txt"}', "--timeout", "100000"]);
    const watching = await untilShown(place, ["approvals", "watch"]);
    const following = await untilShown(place, ["executions", "list", "--follow"]);
    using operator = await place.socket("operator");
    const look = async () => {
      const { value } = await operator.ask({ id: 1, verb: "approvals.watch", from: 0, wait_ms: 0 });
      return value as { readonly next: number; readonly open: readonly object[] };
    };
    await expect.poll(async () => (await look()).open.length).toBe(2);
    const { next } = await look();
    const waits = [
      { id: 2, verb: "approvals.watch", from: next, wait_ms: 10_000 },
      { id: 3, verb: "log.records", from: 1_000, wait_ms: 10_000 },
      { id: 4, verb: "log.records", from: 1_001, wait_ms: 10_000 },
    ];
    operator.write(waits.map((wait) => `${JSON.stringify(wait)}\n`).join(""));
    await expect.poll(async () => (await operator.ask({ id: 9, verb: "status" })).ok).toBe(true);
    host.kill("SIGTERM");
    await operator.closed;
    const answers = new Map(operator.lines.map((line) => JSON.parse(line) as Answer).map((line) => [line.id, line]));
    // The questions go on waiting, so that nobody is told that there are none any more.
    expect(answers.get(2)?.error).toMatchObject({ code: "FEMTO_DRAINING" });
    for (const { id } of waits.slice(1)) expect(answers.get(id), String(id)).toBeDefined();
    const ends = "the host has ended; start it with `femtoclaw up --detach`, then run this again\n";
    for (const told of [watching, following]) {
      expect(await told()).toMatchObject({ code: 0, stderr: expect.stringContaining(ends) });
    }
    const called = await calling;
    expect({ code: called.code, said: JSON.parse(called.stdout) }).toMatchObject({
      code: 69,
      said: { error: { code: "FEMTO_DRAINING", fix: expect.stringContaining("Do not propose it again.") } },
    });
    expect(await host.ended).toBe(0);
  });

  test("in the background it keeps a log beside the journal; what keeps it from coming up is said by `up`", async () => {
    await using place = new Playground();
    const { code, stdout, stderr } = await place.run(["up", "--detach"]);
    expect(code).toBe(0);
    expect(stderr).toContain("next: `femtoclaw capabilities list` shows what can be called");
    const pid = Number(/^ready: process (\d+), log in (.+)$/m.exec(stdout)?.[1]);
    const log = join(place.state, "host.log");
    expect(stdout).toContain(log);
    expect(
      readFileSync(log, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as object),
    ).toContainEqual(expect.objectContaining({ event: "lifecycle.changed", to: "idle" }));
    expect(lstatSync(log).mode & 0o777).toBe(0o600);
    expect(await place.run(["down"])).toMatchObject({ code: 0, stdout: `stopped: process ${pid}\n` });
    expect((await place.run(["status"])).code).toBe(69);
    // What it warns of is said by `up` too, because nobody reads a log that gives no reason to.
    const copied = join(place.root, "copied");
    copyState(place.state, copied);
    const warned = await place.run(["--state", copied, "up", "--detach"]);
    expect(warned).toMatchObject({ code: 0, stderr: "warning: epoch.opened: copy\n" });
    expect((await place.run(["--state", copied, "down"])).code).toBe(0);
    // A first call is only named where it can be made.
    place.configure(CONFIGURATION.replace("fs_list = false", "fs_list = true"));
    const listing = await place.run(["--state", join(place.root, "new"), "up", "--detach"]);
    expect(listing.stderr).toContain("next: `femtoclaw call fs_list");
    expect((await place.run(["--state", join(place.root, "new"), "down"])).code).toBe(0);
    // Only the host itself, not the command that starts it, finds that there is no bubblewrap.
    const programs = place.folder("programs");
    place.configure(
      CONFIGURATION.replace("[allow]", "[allow]")
        .replace('workspace = "."', `workspace = "."\nsearch_path = ["${programs}"]`)
        .replace(/^run = .*$/m, ""),
    );
    const failed = await place.run(["up", "--detach"]);
    expect(failed).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("FEMTO_SANDBOX_UNAVAILABLE") });
    // Its log holds the steps on the way there.
    expect(failed.stderr).toMatch(/^femtoclaw: [^{}]*\n {2}fix: [^{}]*\n$/);
    expect(readFileSync(log, "utf8")).toContain('"code":"FEMTO_SANDBOX_UNAVAILABLE"');
    expect((await place.run(["status"])).code).toBe(69);
  });

  test("outlives the terminal that showed its log", async () => {
    await using place = new Playground();
    const child = place.spawn(["--json", "up"]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stderr.destroy();
    child.stdout.destroy();
    for (const name of ["process_exec", "fs_read"]) {
      expect((await place.run(["capabilities", "disable", name])).code).toBe(0);
    }
    expect((await place.run(["down"])).code).toBe(0);
    expect(child.exitCode).toBe(0);
  });

  test("what an operator switched stays switched after a restart", async () => {
    await using place = new Playground(CONFIGURATION.replace("fs_list = false", ""));
    const first = await place.up();
    expect(await place.call("fs_list", { path: "." })).toMatchObject({ code: 77 });
    expect((await place.run(["capabilities", "enable", "fs_list"])).stdout).toBe("fs_list is enabled\n");
    expect((await place.run(["capabilities", "disable", "fs_read"])).stdout).toBe("fs_read is disabled\n");
    const expectSwitched = async (): Promise<void> => {
      expect(await place.call("fs_list", { path: "." })).toMatchObject({ code: 0 });
      expect(await place.call("fs_read", { path: "notes.txt" })).toMatchObject({
        code: 77,
        value: { decision: "DENIED_CAPABILITY_DISABLED" },
      });
    };
    await expectSwitched();
    first.kill("SIGKILL");
    await first.ended;
    const second = await place.up();
    await expectSwitched();
    second.kill("SIGTERM");
    await second.ended;
    // Locked off by the configuration, whatever an operator switched before.
    place.configure(CONFIGURATION);
    await place.up();
    expect(await place.call("fs_list", { path: "." })).toMatchObject({ code: 77 });
    expect((await place.run(["capabilities", "enable", "fs_list"])).code).toBe(77);
  });

  test("`down` does not wait for a process that nobody reaps", async () => {
    await using place = new Playground();
    // A shell that starts the host and never waits for it leaves a zombie when the host ends.
    const shell = spawn(
      "sh",
      ["-c", `"$@" & exec sleep 60`, "sh", process.execPath, join(import.meta.dirname, "../src/launch.js"), "up"],
      {
        cwd: place.project,
        env: place.environment,
        stdio: "ignore",
      },
    );
    try {
      await expect.poll(() => existsSync(join(place.runtime, "operator.sock"))).toBe(true);
      await expect.poll(async () => (await place.run(["status"])).code).toBe(0);
      expect((await place.run(["down"])).code).toBe(0);
    } finally {
      shell.kill("SIGKILL");
    }
  });
});

describe("replay", () => {
  test("gives the same moment from a running host, a stopped one and after a crash", async () => {
    await using place = new Playground();
    const host = await place.up();
    await place.call("process_exec", { bin: "echo", argv: ["once"] });
    await place.call("fs_read", { path: "secrets/token.txt" });
    const { value: status } = await place.json<{ records: number }>(["status"]);
    const last = String(status.records - 1);
    const running = await place.json<Replayed>(["replay", "--to", last]);
    expect(running.value.records).toBe(status.records);
    host.kill("SIGKILL");
    await host.ended;
    expect((await place.json<Replayed>(["replay", "--to", last])).value).toEqual(running.value);
    const first = await place.json<Replayed>(["replay", "--to", "0"]);
    expect(first.value.records).toBe(1);
    const readable = await place.run(["replay"]);
    expect(readable.stdout).toMatch(/counters +messages 0 · completed 1 · refused 1/);
  });
});

describe("doctor", () => {
  interface Finding {
    readonly check: string;
    readonly verdict: string;
    readonly detail: string;
    readonly fix?: string;
  }
  const verdictsOf = (findings: readonly Finding[]): Record<string, string> =>
    Object.fromEntries(findings.map(({ check, verdict }) => [check, verdict]));

  test("finds a healthy project healthy, with and without a host", async () => {
    await using place = new Playground();
    const before = await place.json<Finding[]>(["doctor"]);
    expect(before.code).toBe(0);
    expect(verdictsOf(before.value)).toMatchObject({ sandbox: "ok", policy: "ok", journal: "ok", host: "warn" });
    await place.up();
    const during = await place.json<Finding[]>(["doctor"]);
    expect(during.code).toBe(0);
    expect(verdictsOf(during.value)).toMatchObject({
      permissions: "ok",
      journal: "ok",
      host: "ok",
      "fails closed": "ok",
    });
    expect(existsSync(join(place.state, "journal", "CURRENT"))).toBe(true);
  });

  test.each([
    ["a broken configuration", "workspace = \n", "configuration", "femtoclaw.toml:1:"],
    [
      "a policy that does not compile",
      CONFIGURATION.replace('echo = ["*"]', 'bash = ["*"]'),
      "policy",
      "femtoclaw.toml:10:",
    ],
    [
      "no bubblewrap",
      CONFIGURATION.replace("[capabilities]", 'search_path = ["/nowhere"]\n[capabilities]').replace(/^run = .*$/m, ""),
      "sandbox",
      "bubblewrap",
    ],
  ])("names the fix for %s and ends with 1", async (_name, configuration, check, expected) => {
    await using place = new Playground(configuration);
    const { code, value } = await place.json<Finding[]>(["doctor"]);
    expect(code).toBe(1);
    const finding = value.find((each) => each.check === check);
    expect(finding).toMatchObject({
      verdict: "fail",
      detail: expect.stringContaining(expected),
      // It sends nobody to where they are.
      fix: expect.not.stringContaining("femtoclaw doctor"),
    });
    const readable = await place.run(["doctor"]);
    expect(readable.code).toBe(1);
    expect(readable.stdout).toMatch(new RegExp(`^fail +${check} `, "m"));
    expect(readable.stdout).toContain("      fix: ");
  });

  test("finds folders that others can change, and a journal that is damaged", async () => {
    await using place = new Playground();
    const host = await place.up();
    host.kill("SIGTERM");
    await host.ended;
    rmSync(join(place.state, "journal", "CURRENT"));
    const { code, value } = await place.json<Finding[]>(["doctor"]);
    expect(code).toBe(1);
    expect(value.find(({ check }) => check === "journal")).toMatchObject({
      verdict: "fail",
      detail: expect.stringContaining("CURRENT"),
    });
  });
});
