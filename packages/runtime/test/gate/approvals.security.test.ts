/** Attacks on approvals: answers to something else, answers twice, floods, clocks, secrets, and calls that changed. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, JournalEntry } from "@femtoclaw/journal";
import { type ApprovalCard, type ExecutionId, LIMITS } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Questions, type Settlement } from "../../src/gate/questions/questions.ts";
import type { WaitingCall } from "../../src/gate/questions/waiting-call.ts";
import { call, type Home, ofType, recordsOf, type StartOptions, temporaryHome } from "../runtime-fixture.ts";

const BY = "uid:0";
const ASKING: StartOptions = {
  configuration: {
    ask: { read: ["private"], write: ["out"], run: { cat: [{ any: true }] } },
    capabilities: { fs_read: true, fs_write: true, process_exec: true },
  },
};

async function place(options: StartOptions = ASKING): Promise<{ home: Home; runtime: Runtime }> {
  const home = temporaryHome();
  for (const folder of ["private", "out"]) mkdirSync(join(home.root, folder));
  const runtime = await home.start(options);
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return { home, runtime };
}

const write = (home: Home, name: string, content = "x") =>
  call("fs_write", { path: join(home.root, "out", name), content, mode: "append" });

async function questionOf(runtime: Runtime, execution: string): Promise<ApprovalCard> {
  const question = (await runtime.approvals.list()).find(({ execution_id }) => execution_id === execution);
  if (question === undefined) throw new Error(`nothing is asked about ${execution}`);
  return question;
}

const granted = ({ id, digest }: Pick<ApprovalCard, "id" | "digest">) =>
  ({ id, digest, answer: "granted", scope: "once", by: BY }) as const;

describe("an answer", () => {
  it("to another question's digest is none", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const [one, two] = await Promise.all([session.propose(write(home, "a")), session.propose(write(home, "b"))]);
    const [first, second] = [await questionOf(runtime, one.execution_id), await questionOf(runtime, two.execution_id)];
    for (const digest of [second.digest, "", "0".repeat(64), first.digest.toUpperCase()]) {
      await expect(runtime.approvals.answer(granted({ id: first.id, digest }))).rejects.toMatchObject({
        code: "FEMTO_APPROVAL_MISMATCH",
      });
    }
    expect(ofType(await recordsOf(runtime.reader), "approval.answered")).toEqual([]);
  });

  it("is taken once, of many at the same time", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(write(home, "a"));
    const question = await questionOf(runtime, execution_id);
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        runtime.approvals.answer({
          ...granted(question),
          answer: n % 2 === 0 ? "granted" : "refused",
          by: `uid:${n}`,
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(ofType(await recordsOf(runtime.reader), "approval.answered")).toHaveLength(1);
    expect((await session.wait(execution_id)).status).toBe("completed");
    expect(readFileSync(join(home.root, "out/a"), "utf8")).toBe("x");
  });

  it("and a cancellation at once end the call in one way", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    for (let round = 0; round < 20; round += 1) {
      const { execution_id } = await session.propose(write(home, `f${round}`));
      const question = await questionOf(runtime, execution_id);
      const answer = runtime.approvals.answer(granted(question)).then(
        () => true,
        () => false,
      );
      const cancelled = round % 2 === 0 ? session.cancel(execution_id) : await Promise.resolve(false);
      const answered = await answer;
      const { status } = await session.wait(execution_id);
      expect(answered && cancelled).toBe(false);
      if (answered) expect(status).toBe("completed");
      const own = (await recordsOf(runtime.reader)).filter(({ execution }) => execution === execution_id);
      expect(own.filter(({ type }) => type === "execution.outcome" || type === "execution.refused")).toHaveLength(1);
      if (runtime.status().waiting === 0 && round >= 10) break;
    }
  });

  it("is no answer to what the call has become", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(write(home, "target"));
    const question = await questionOf(runtime, execution_id);
    // The file that was missing is a link to somewhere else by now.
    writeFileSync(join(home.root, "private/kept"), "kept");
    symlinkSync(join(home.root, "private/kept"), join(home.root, "out/target"));
    await runtime.approvals.answer(granted(question));
    expect(await session.wait(execution_id)).toMatchObject({ status: "denied", error: { code: "FEMTO_FACTS_FAILED" } });
    expect(readFileSync(join(home.root, "private/kept"), "utf8")).toBe("kept");
  });

  it("is to the file that runs, and not to the one that its name seems to be", async () => {
    const { home, runtime } = await place();
    const workspace = join(home.root, "workspace");
    mkdirSync(join(workspace, "far/folder"), { recursive: true });
    symlinkSync("far/folder", join(workspace, "link"));
    writeFileSync(join(workspace, "script"), "harmless");
    writeFileSync(join(workspace, "far/script"), "harmless");
    const session = runtime.openSession({ channel: "agent" });
    const run = call("process_exec", { bin: "cat", argv: ["link/../script"] });
    const { execution_id } = await session.propose(run);
    const question = await questionOf(runtime, execution_id);
    expect(question.files.map(({ path }) => path)).toEqual([join(workspace, "far/script")]);
    writeFileSync(join(workspace, "far/script"), "harmful");
    await runtime.approvals.answer(granted(question));
    const again = async () => (await runtime.approvals.list()).map(({ id }) => id);
    await expect.poll(again).toHaveLength(1);
    expect(await again()).not.toContain(question.id);
    expect(ofType(await recordsOf(runtime.reader), "execution.intent")).toEqual([]);
  });

  it("is not asked for where a program finds another file than the host", async () => {
    const { runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const run = call("process_exec", { bin: "cat", argv: ["/proc/self/cwd/script"] });
    expect(await session.propose(run)).toMatchObject({ status: "denied", error: { code: "FEMTO_APPROVAL_LIMIT" } });
  });

  it("is bound to what is secret without a digest, by which it could be guessed", async () => {
    const about = { id: "file/t/1", source: "t.cedar:1:1", reason: "it is forbidden", kept: [] };
    const home = temporaryHome();
    const workspace = join(home.root, "workspace");
    const rule = {
      ...about,
      hidden: [join(workspace, "by-file")],
      text: `forbid (principal, action == Action::"fs_read", resource in Path::"${join(workspace, "by-file")}");`,
    };
    const runtime = await home.start({
      configuration: { ...ASKING.configuration, sensitive: { secret: ["workspace/by-table"] } },
      policyFiles: { rules: [{ ...rule, paths: rule.hidden }], triedRevision: null },
    });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    for (const name of ["by-file", "by-table", "open"]) writeFileSync(join(workspace, name), "1234");
    const session = runtime.openSession({ channel: "agent" });
    const argv = ["by-file", "by-table", "open"];
    const { execution_id } = await session.propose(call("process_exec", { bin: "cat", argv }));
    const { files } = await questionOf(runtime, execution_id);
    expect(files.map(({ sha256 }) => sha256)).toEqual([null, null, expect.any(String)]);
  });

  it("does not run a capability that was disabled meanwhile", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(write(home, "a"));
    const question = await questionOf(runtime, execution_id);
    await runtime.switchCapability({ name: "fs_write", enabled: false, by: BY });
    await runtime.approvals.answer(granted(question));
    expect(await session.wait(execution_id)).toMatchObject({
      status: "denied",
      decision: "DENIED_CAPABILITY_DISABLED",
      error: { code: "FEMTO_CAPABILITY_DISABLED" },
    });
    expect(runtime.projection.questions.size).toBe(0);
  });

  it("does not outlive the file that was asked about", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(write(home, "a"));
    const question = await questionOf(runtime, execution_id);
    // The folder becomes another one, by the same name.
    rmSync(join(home.root, "out"), { recursive: true });
    mkdirSync(join(home.root, "out"));
    writeFileSync(join(home.root, "out/a"), "of somebody else");
    await runtime.approvals.answer(granted(question));
    await expect.poll(async () => (await runtime.approvals.list()).length).toBe(1);
    expect((await questionOf(runtime, execution_id)).digest).not.toBe(question.digest);
    expect(readFileSync(join(home.root, "out/a"), "utf8")).toBe("of somebody else");
  });
});

describe("a session that asks and asks", () => {
  it("has so many open questions and no more, also when it asks all at once", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, n) => session.propose(write(home, `f${n}`, "y".repeat(n + 1)))),
    );
    const count = (status: string) => replies.filter((reply) => reply.status === status).length;
    expect([count("pending"), count("denied")]).toEqual([LIMITS.approvalsPerSession, 40 - LIMITS.approvalsPerSession]);
    const denied = replies.find(({ status }) => status === "denied");
    expect(denied).toMatchObject({ decision: "DENIED_POLICY_VIOLATION", error: { code: "FEMTO_APPROVAL_LIMIT" } });
    // Another session is none the worse for it.
    expect((await runtime.openSession({ channel: "agent" }).propose(write(home, "other"))).status).toBe("pending");
  });

  it("asks no more once operators have refused it again and again", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    for (let n = 0; n < LIMITS.approvalRefusals; n += 1) {
      const { execution_id } = await session.propose(write(home, `f${n}`));
      await runtime.approvals.answer({ ...granted(await questionOf(runtime, execution_id)), answer: "refused" });
      await session.wait(execution_id);
    }
    expect(await session.propose(write(home, "again"))).toMatchObject({ error: { code: "FEMTO_APPROVAL_LIMIT" } });
  });
});

describe("secrets of a call that waits", () => {
  it("stand in no record, run within the boot, and are gone with it", async () => {
    const secret = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const first = await session.propose(write(home, "a", `token ${secret}`));
    await runtime.approvals.answer({
      ...granted(await questionOf(runtime, first.execution_id)),
      scope: "session",
    });
    expect((await session.wait(first.execution_id)).status).toBe("completed");
    expect(readFileSync(join(home.root, "out/a"), "utf8")).toContain(secret);
    // Another secret has the same digest, so that a yes for the session is none for it.
    rmSync(join(home.root, "out/a"));
    const other = await session.propose(write(home, "a", `token ${secret.toUpperCase().replace("GHP", "ghp")}`));
    expect(other.status).toBe("pending");
    await runtime.close();
    const second = await home.start(ASKING);
    onTestFinished(() => second.close({ drainMs: 0 }));
    await second.approvals.answer(granted(await questionOf(second, other.execution_id)));
    const reply = await second.openSession({ channel: "agent" }).wait(other.execution_id);
    expect(reply).toMatchObject({ status: "denied", error: { code: "FEMTO_FACTS_FAILED" } });
    expect(JSON.stringify(await recordsOf(second.reader))).not.toContain("0123456789abcdefghij");
  });

  it("make their call none that another one waits for already, although both have the same digest", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const one = await session.propose(write(home, "a", "ghp_0123456789abcdefghijklmnopqrstuvwxyz"));
    const other = await session.propose(write(home, "a", "ghp_zyxwvutsrqponmlkjihgfedcba9876543210"));
    expect([one.status, other.status]).toEqual(["pending", "pending"]);
    expect(one.execution_id).not.toBe(other.execution_id);
    const digests = (await runtime.approvals.list()).map(({ digest }) => digest);
    expect(digests).toHaveLength(2);
    expect(new Set(digests).size).toBe(1);
  });

  it("have so much of the host's memory and no more, whoever asks, until a question is settled", async () => {
    const { home, runtime } = await place();
    const sessions = Array.from({ length: 3 }, () => runtime.openSession({ channel: "agent" }));
    const large = (name: string) => write(home, name, `password=hunter2hunter2 ${"y".repeat(900_000)}`);
    const replies = await Promise.all(
      sessions.flatMap((session, one) =>
        Array.from({ length: 8 }, (_, two) => session.propose(large(`${one}-${two}`))),
      ),
    );
    const waiting = replies.filter(({ status }) => status === "pending");
    expect(waiting).toHaveLength(Math.floor((16 << 20) / 900_000));
    const refused = { status: "denied", error: { code: "FEMTO_APPROVAL_LIMIT" } };
    for (const reply of replies) if (reply.status !== "pending") expect(reply).toMatchObject(refused);
    const session = runtime.openSession({ channel: "agent" });
    expect(await session.propose(large("more"))).toMatchObject(refused);
    expect((await session.propose(write(home, "small"))).status).toBe("pending");
    const answer = {
      ...granted(await questionOf(runtime, waiting[0]?.execution_id ?? "")),
      answer: "refused",
    } as const;
    await runtime.approvals.answer(answer);
    expect((await session.propose(large("more"))).status).toBe("pending");
  });
});

/** A wall clock and a boot's own, each moved by hand. */
class TwoClocks implements Clock {
  wallUs = 1_000_000_000;
  bootUs = 0;
  readonly #due: { atUs: number; callback: () => void }[] = [];
  nowUs = () => this.wallUs;
  monotonicUs = () => this.bootUs;
  after = (delayMs: number, callback: () => void) => {
    const timer = { atUs: this.bootUs + delayMs * 1_000, callback };
    this.#due.push(timer);
    return () => void this.#due.splice(this.#due.indexOf(timer), 1);
  };

  pass(ms: number): void {
    this.wallUs += ms * 1_000;
    this.bootUs += ms * 1_000;
    for (const timer of this.#due.splice(0)) {
      if (timer.atUs <= this.bootUs) timer.callback();
      else this.#due.push(timer);
    }
  }
}

describe("a clock", () => {
  const waiting = (clock: Clock, lifetimeMs: number): WaitingCall => ({
    seq: 7,
    execution: "e" as ExecutionId,
    session: "s",
    tool: "t",
    revision: "r",
    digest: "d",
    approvers: 1,
    granted: [],
    secretArgs: null,
    secretBytes: 0,
    expiresUs: clock.nowUs() + lifetimeMs * 1_000,
    deadlineUs: clock.monotonicUs() + lifetimeMs * 1_000,
  });
  const opened = (clock: Clock, lifetimeMs: number) => {
    const settled: Settlement[] = [];
    const written: JournalEntry[] = [];
    const questions = new Questions({
      clock,
      settings: { expiresMs: 1_000, perSession: 8, atOnce: 256, operators: [], operatorKey: false },
      log: "log",
      append: async (entry) => ({ seq: written.push(entry) }),
      admission: () => null,
      isOpen: () => true,
      settle: (_, how) => void settled.push(how),
    });
    questions.add(waiting(clock, lifetimeMs));
    return { questions, settled, written };
  };
  const yes = { id: "7", digest: "d", answer: "granted", scope: "once", by: BY } as const;

  it("that is set forward ends a question, before an answer and without one", async () => {
    const clock = new TwoClocks();
    const { questions, settled, written } = opened(clock, 60_000);
    clock.wallUs += 61_000_000;
    await expect(questions.answer(yes)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_NOT_FOUND" });
    expect([settled, written]).toEqual([["expired"], []]);
    const another = opened(clock, 60_000);
    clock.wallUs += 61_000_000;
    clock.pass(10_000);
    expect(another.settled).toEqual(["expired"]);
  });

  it("that is set back while no host runs gives no time again that the last one saw pass", async () => {
    let offsetMs = 0;
    const now = Date.now.bind(Date);
    vi.spyOn(Date, "now").mockImplementation(() => now() + offsetMs);
    onTestFinished(() => void vi.restoreAllMocks());
    const hourMs = 3_600_000;
    const asking = { configuration: { ...ASKING.configuration, approvals: { expires_ms: hourMs } } };
    const { home, runtime } = await place(asking);
    const { execution_id } = await runtime.openSession({ channel: "agent" }).propose(write(home, "late"));
    offsetMs = hourMs - 2_000;
    await runtime.close();
    offsetMs = 1_000;
    const next = await home.start(asking);
    onTestFinished(() => next.close({ drainMs: 0 }));
    const reply = await next.openSession({ channel: "agent" }).wait(execution_id);
    expect(reply).toMatchObject({ error: { code: "FEMTO_APPROVAL_EXPIRED" } });
  });

  it("that is set back extends nothing", async () => {
    const clock = new TwoClocks();
    const { questions, settled } = opened(clock, 60_000);
    clock.wallUs -= 3_600_000_000;
    for (let second = 0; second < 70; second += 1) clock.pass(1_000);
    expect(settled).toEqual(["expired"]);
    await expect(questions.answer(yes)).rejects.toMatchObject({ code: "FEMTO_APPROVAL_NOT_FOUND" });
  });
});
