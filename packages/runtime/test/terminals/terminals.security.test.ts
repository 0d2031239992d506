import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration, Reply } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { call, ofType, recordsOf } from "../runtime-fixture.ts";
import { eventually, type Place, processesWith, Shell, TERMINALS, terminalPlace } from "./terminal-fixture.ts";

/** A name in the arguments of a process that nobody else on this machine has. */
const marker = (): string => `8${Math.floor(Math.random() * 1e9)}.25`;

const SHELL: NonNullable<Configuration["allow"]>["run"] = { bash: [{ any: true, unsafe: true }] };
/** What is left to run by a policy that takes the shell away. */
const STILL_ALLOWED: NonNullable<Configuration["allow"]>["run"] = { cat: ["*"], sleep: ["*"] };

const codeOf = (reply: Reply): string | undefined => reply.error?.code;

async function closedRecord({ runtime }: Place, { id }: Shell) {
  return await eventually(async () =>
    ofType(await recordsOf(runtime.reader), "terminal.closed").find(({ body }) => body.terminal === id),
  );
}

describe("a program on a terminal", () => {
  it("cannot type into it, nor reach the kernel by line disciplines", async () => {
    const { session } = await terminalPlace();
    const shell = await Shell.open(session);
    const requests = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c, TIOCSETD: 0x5423 };
    const script = Object.entries(requests).map(([name, number]) => {
      return `my $b = chr(10); print "${name} ", (ioctl(STDIN, ${number}, $b) ? "WORKED" : "refused: $!"), "\\n";`;
    });
    await shell.type(`perl -e '${script.join(" ").replaceAll("my $b", "$b")}'; echo end-of-it\r`);
    const shown = await shell.until(/[\r\n]end-of-it/);
    expect(shown.match(/refused: Operation not permitted/g)).toHaveLength(3);
    expect(shown).not.toContain("WORKED\r");
  });

  it("has job control, can be interrupted and sees another size", async () => {
    const { session } = await terminalPlace();
    const shell = await Shell.open(session, { cols: 90, rows: 20 });
    await shell.type("stty size; echo waiting; sleep 1000\r");
    await shell.until(/20 90[\s\S]*\nwaiting/);
    await shell.type("\u0003");
    await shell.type("echo after=$?; sleep 1000 & jobs\r");
    await shell.until(/after=130[\s\S]*Running/);
    expect((await shell.use("resize", { cols: 120, rows: 40 })).result).toEqual({ cols: 120, rows: 40 });
    await shell.type("stty size\r");
    await shell.until(/40 120/);
  });

  it("is typed a NUL like any other key, as Ctrl with the space bar sends it", async () => {
    const { session } = await terminalPlace();
    const shell = await Shell.open(session, { argv: ["-c", "stty -echo; echo ready; cat -v"] });
    await shell.until(/ready/);
    await shell.type("a\0b\r");
    await shell.until(/a\^@b/);
  });

  it("that answers an interrupt itself goes on, and so does its sandbox", async () => {
    const { session } = await terminalPlace();
    const script = "trap 'echo caught' INT QUIT TSTP; echo ready; while :; do sleep 0.1; done";
    const shell = await Shell.open(session, { argv: ["-c", script] });
    await shell.until(/ready/);
    for (const key of ["\u0003", "\u001c", "\u001a"]) await shell.type(key);
    await shell.until(/(caught[\s\S]*){3}/);
    expect((await shell.use("read")).result).toMatchObject({ running: true });
  });

  it("ends when a file that is kept from it is replaced", async () => {
    const place = await terminalPlace({ allow: { ...TERMINALS.allow, write: ["workspace"] } });
    const git = join(place.home.root, "workspace/.git");
    mkdirSync(git);
    writeFileSync(join(git, "config"), "");
    const shell = await Shell.open(place.session);
    // As git does it.
    writeFileSync(join(git, "config.lock"), "[core]");
    renameSync(join(git, "config.lock"), join(git, "config"));
    const { body } = await closedRecord(place, shell);
    expect(body).toMatchObject({ why: "policy", exit_code: null, signal: "SIGKILL" });
    expect(body.reason).toContain(`${git}/config, which is protected from programs`);
  });

  it("leaves nothing behind when it is closed, neither in other sessions of the system nor in the background", async () => {
    const place = await terminalPlace();
    const shell = await Shell.open(place.session);
    const [deaf, apart, behind] = [marker(), marker(), marker()];
    await shell.type(`(trap '' HUP TERM; sleep ${deaf}) & setsid sleep ${apart} & nohup sleep ${behind} & echo up\r`);
    await shell.until(/[\r\n]up/);
    await eventually(() => [deaf, apart, behind].every((one) => processesWith(one).length > 0));
    const closed = await shell.use("close");
    expect(closed.status).toBe("completed");
    for (const one of [deaf, apart, behind]) expect(processesWith(one)).toEqual([]);
    expect((await closedRecord(place, shell)).body).toMatchObject({ why: "closed", opened: expect.any(Number) });
    expect(codeOf(await shell.use("read"))).toBe("FEMTO_FACTS_FAILED");
  });

  it("has no descriptor of another terminal, and neither has a program without one", async () => {
    const { session } = await terminalPlace();
    const [first, second] = [await Shell.open(session), await Shell.open(session)];
    await second.type("ls -l /proc/self/fd; echo listed\r");
    const shown = await second.until(/[\r\n]listed/);
    // In the place of what the process would pass on stand empty files.
    expect(shown).toContain("-> /dev/null");
    expect(shown).not.toContain("ptmx");
    const { result } = await session.propose(call("process_exec", { bin: "ls", argv: ["-l", "/proc/self/fd"] }));
    expect(String(result?.["stdout"])).not.toMatch(/ptmx|pts/);
    expect((await first.use("close")).status).toBe("completed");
  });

  it("is held up while nobody reads, and its reader may skip what is old", async () => {
    const { runtime, session } = await terminalPlace();
    const shell = await Shell.open(session);
    await shell.type("while :; do echo flood-flood-flood-flood; done\r");
    const bytes = () => runtime.terminals.list()[0]?.bytes_out ?? 0;
    const held = await eventually(async () => {
      const before = bytes();
      await new Promise((resolve) => setTimeout(resolve, 300));
      return before > 100_000 && bytes() === before && before;
    });
    // What is kept for the reader and one read beyond it, and not what a loop writes in that time.
    expect(held).toBeLessThan(262_144 + 131_072);
    const { result } = await shell.use("read", { bytes: 1_000, latest: true });
    expect(result).toMatchObject({ bytes: 1_000, running: true });
    expect(Number(result?.["dropped_bytes"])).toBeGreaterThan(100_000);
    await eventually(() => bytes() > held);
    await shell.type("\u0003");
    expect((await shell.use("close")).status).toBe("completed");
  });

  it("that does not read lets no input pile up, and the host goes on", async () => {
    const { session } = await terminalPlace();
    const shell = await Shell.open(session, { bin: "sleep", argv: ["1000"] });
    expect(codeOf(await shell.use("write", { data: "x".repeat(10_000_000) }))).toBe("FEMTO_PROTOCOL_TOO_LARGE");
    expect(codeOf(await shell.use("write", { data: "x".repeat(65_537) }))).toBe("FEMTO_ARGUMENTS_INVALID");
    const raw = await Shell.open(session);
    await raw.type("stty raw -echo; echo ready; sleep 1000\r");
    await raw.until(/[\r\n]ready/);
    const codes: (string | undefined)[] = [];
    for (let n = 0; n < 20; n += 1) codes.push(codeOf(await raw.use("write", { data: "x".repeat(60_000) })));
    expect(codes).toContain("FEMTO_TERMINAL_BUSY");
    expect((await raw.use("close")).status).toBe("completed");
  });

  it("that has ended takes neither input nor sizes, however they race its end", async () => {
    const place = await terminalPlace();
    const shell = await Shell.open(place.session);
    await shell.type("exit 7\r");
    const storm = Array.from({ length: 60 }, (_, n) => shell.use("resize", { cols: 10 + n, rows: 5 }));
    for (const reply of await Promise.all(storm)) expect([undefined, "FEMTO_TERMINAL_ENDED"]).toContain(codeOf(reply));
    await eventually(async () => (await shell.use("read")).result?.["running"] === false);
    expect((await shell.use("read")).result).toMatchObject({ exit_code: 7, signal: null });
    expect(codeOf(await shell.use("write", { data: "x" }))).toBe("FEMTO_TERMINAL_ENDED");
    expect(codeOf(await shell.use("resize", { cols: 10, rows: 10 }))).toBe("FEMTO_TERMINAL_ENDED");
    expect((await closedRecord(place, shell)).body).toMatchObject({ why: "exited", exit_code: 7 });
  });
});

describe("a terminal", () => {
  it("is decided as a program without one is", async () => {
    const { session } = await terminalPlace({ allow: { run: { cat: ["*"] } } });
    expect(codeOf(await session.propose(call("terminal_open", { bin: "bash" })))).toBe("FEMTO_POLICY_NO_PERMIT");
    expect(codeOf(await session.propose(call("terminal_open", { bin: "no-such" })))).toBe("FEMTO_FACTS_FAILED");
    const env = { LD_PRELOAD: "/tmp/x.so" };
    expect(codeOf(await session.propose(call("terminal_open", { bin: "cat", env })))).toMatch(/^FEMTO_POLICY/);
    expect((await session.propose(call("terminal_open", { bin: "cat" }))).status).toBe("completed");
  });

  it("belongs to its session and ends with it", async () => {
    const place = await terminalPlace();
    const shell = await Shell.open(place.session);
    const other = place.runtime.openSession({ channel: "agent" });
    for (const verb of ["write", "read", "resize", "close"]) {
      const args = { terminal_id: shell.id, ...(verb === "write" ? { data: "id\r" } : {}) };
      const size = verb === "resize" ? { cols: 10, rows: 10 } : {};
      const reply = await other.propose(call(`terminal_${verb}`, { ...args, ...size }));
      expect(reply).toMatchObject({ status: "denied", decision: "DENIED_ARGUMENT_INVALID" });
    }
    expect((await shell.use("read")).status).toBe("completed");
    place.session.close();
    expect((await closedRecord(place, shell)).body).toMatchObject({ why: "session", bytes_in: 0 });
    expect(place.runtime.terminals.list()).toEqual([]);
  });

  it("ends when a policy comes that would not permit it, or shows its programs other places", async () => {
    const place = await terminalPlace();
    const { home, runtime, session } = place;
    const [shell, quiet] = [await Shell.open(session), await Shell.open(session, { bin: "cat", argv: [] })];
    const without = { ...TERMINALS, allow: { read: ["."], run: STILL_ALLOWED } };
    await runtime.reload({ configuration: home.configuration(without) }, "operator");
    expect((await closedRecord(place, shell)).body).toMatchObject({
      why: "policy",
      reason: expect.stringMatching(/bash|rule|permits/),
    });
    expect((await quiet.use("read")).result).toMatchObject({ running: true });
    mkdirSync(join(home.root, "workspace", "hidden"));
    const hidden = { ...without, deny: { read: ["workspace/hidden"] } };
    await runtime.reload({ configuration: home.configuration(hidden) }, "operator");
    expect((await closedRecord(place, quiet)).body.why).toBe("policy");
  });

  it("ends when its session is halted, its capability is switched off, or its time is over", async () => {
    const place = await terminalPlace({ terminals: { idle_ms: 1_000, total_ms: 3_000 } });
    const { runtime } = place;
    const [halted, off, idle] = await Promise.all(
      [0, 1, 2].map(() => Shell.open(runtime.openSession({ channel: "agent" }), { bin: "cat", argv: [] })),
    );
    if (halted === undefined || off === undefined || idle === undefined) throw new Error("all were opened");
    await runtime.haltSession({ session: halted.session.id, by: "operator" });
    expect((await closedRecord(place, halted)).body.why).toBe("halted");
    const used = setInterval(() => void off.use("read"), 200);
    expect((await closedRecord(place, idle)).body.why).toBe("idle");
    expect((await closedRecord(place, off)).body.why).toBe("expired");
    clearInterval(used);
    const last = await Shell.open(runtime.openSession({ channel: "agent" }));
    await runtime.switchCapability({ name: "terminal_open", enabled: false, by: "operator" });
    expect((await closedRecord(place, last)).body.why).toBe("policy");
  });

  it("ends when a call is permitted after which it would be forbidden", async () => {
    const run = SHELL;
    const place = await terminalPlace({ sensitive: { secret: ["workspace/secret"] }, after_secret: { run } });
    writeFileSync(join(place.home.root, "workspace", "secret"), "hunter2");
    const shell = await Shell.open(place.session);
    expect((await place.session.propose(call("fs_read", { path: "secret" }))).status).toBe("completed");
    expect((await closedRecord(place, shell)).body.why).toBe("policy");
  });

  it("is one of a few", async () => {
    const { session } = await terminalPlace();
    const opened = await Promise.all(
      Array.from({ length: 7 }, () => session.propose(call("terminal_open", { bin: "cat" }))),
    );
    expect(opened.filter(({ status }) => status === "completed")).toHaveLength(4);
    expect(opened.map(codeOf).filter((code) => code === "FEMTO_TERMINAL_LIMIT")).toHaveLength(3);
  });

  it("that an operator was asked about may be used without being asked about again", async () => {
    const run = SHELL;
    const place = await terminalPlace({ allow: { read: ["."] }, ask: { run } });
    const { runtime, session } = place;
    const pending = await session.propose(call("terminal_open", { bin: "bash", argv: ["--norc"] }));
    expect(pending.status).toBe("pending");
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("an operator is asked");
    const { id, digest } = question;
    await runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "operator" });
    const reply = await session.wait(pending.execution_id);
    expect(reply.status).toBe("completed");
    const write = await session.propose(
      call("terminal_write", { terminal_id: pending.execution_id, data: "touch /tmp/x\r" }),
    );
    expect(write.status).toBe("completed");
    expect(ofType(await recordsOf(runtime.reader), "execution.intent").at(-1)?.body).toMatchObject({
      tool: "terminal_write",
      approval: Number(id),
    });
    // Another program is another question.
    const other = await session.propose(call("terminal_open", { bin: "bash", argv: ["-c", "id"] }));
    expect(other.status).toBe("pending");
    // The yes was to the old policy.
    const configuration = place.home.configuration({
      ...TERMINALS,
      allow: { read: ["."] },
      ask: { run },
      limits: {},
      deny: { run: { cat: ["x"] } },
    });
    await runtime.reload({ configuration }, "operator");
    await eventually(() => runtime.terminals.list().every(({ running }) => !running));
  });
});

describe("the records of a terminal", () => {
  it("hold what it showed and not what was typed, and no secret in how many pieces it may come", async () => {
    const place = await terminalPlace();
    const shell = await Shell.open(place.session);
    await shell.type("stty -echo; echo quiet\r");
    await shell.until(/[\r\n]quiet/);
    await shell.type(": typed-password-of-mine\r");
    await shell.type("printf 'AKIA'; sleep 0.3; printf 'ABCDEFGH'; sleep 0.3; printf 'IJKLMNOP\\n'; echo done-here\r");
    await shell.until(/done-here/);
    await shell.use("close");
    await closedRecord(place, shell);
    const recorded = ofType(await recordsOf(place.runtime.reader), "terminal.recorded");
    const text = recorded.map(({ body }) => body.text).join("");
    expect(text).toContain("[redacted:aws-key]");
    expect(text).not.toContain("AKIAABCDEFGHIJKLMNOP");
    for (const { body } of recorded) {
      expect(body.marks.reduce((sum, { chars }) => sum + chars, 0)).toBe(body.text?.length);
      expect(body.marks.map(({ kind }) => kind)).not.toContain("input");
    }
    const all = JSON.stringify(await recordsOf(place.runtime.reader));
    expect(all).not.toContain("typed-password-of-mine");
  });

  it("hold what was typed where the operator wants it", async () => {
    const place = await terminalPlace({ terminals: { record_input: true } });
    const shell = await Shell.open(place.session, { bin: "cat", argv: [] });
    await shell.type("some words\r");
    await shell.until(/some words[\s\S]*some words/);
    await shell.use("close");
    const { body } = await closedRecord(place, shell);
    expect(body.bytes_in).toBe(11);
    const recorded = ofType(await recordsOf(place.runtime.reader), "terminal.recorded");
    expect(recorded.flatMap((record) => record.body.marks.map(({ kind }) => kind))).toContain("input");
  });

  it("fold to no open terminal once the runtime has stopped", async () => {
    const place = await terminalPlace();
    const shell = await Shell.open(place.session, { bin: "cat", argv: [] });
    expect([...place.runtime.projection.terminals.open.keys()]).toEqual([shell.id]);
    expect(place.runtime.projection.snapshot()).toHaveProperty("terminals");
    await place.runtime.close({ drainMs: 0 });
    expect(place.runtime.projection.terminals.open.size).toBe(0);
    expect(existsSync(join(place.home.state, "journal"))).toBe(true);
  });
});
