/** Looking at what runs: whose it is, how many may look, and that nobody who looks holds anything up. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { CapabilityCall } from "@femtoclaw/capabilities";
import type { OutputPart, Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { Barrier, call, capability, ofType, recordsOf, startRuntime } from "../runtime-fixture.ts";

const TOKEN = `ghp_${"a1B2".repeat(10)}`;

interface Stage {
  readonly runtime: Runtime;
  readonly session: Session;
  /** Of the call that is under way. */
  readonly execution: string;
  readonly reply: Promise<Reply>;
  write(text: string | Uint8Array, stream?: "stdout" | "stderr"): void;
  /** Lets the call end, with what it wrote to stdout as its result. */
  end(): void;
}

/** A call that writes what the test says and ends when the test says so. */
async function stage(): Promise<Stage> {
  const barrier = new Barrier();
  let running: CapabilityCall | undefined;
  const stdout: Uint8Array[] = [];
  const program = capability("talk", async (given) => {
    running = given;
    await Promise.race([barrier.arrive(), new Promise((resolve) => given.signal.addEventListener("abort", resolve))]);
    return { stdout: Buffer.concat(stdout).toString() };
  });
  const runtime = await startRuntime({ capabilities: [program] });
  const session = runtime.openSession({ channel: "agent" });
  const named = Promise.withResolvers<string>();
  const reply = session.propose(call("talk"), { onIdentified: named.resolve });
  await barrier.reached;
  return {
    runtime,
    session,
    reply,
    execution: await named.promise,
    write: (text, stream = "stdout") => {
      const piece = Buffer.from(text);
      // A flood is no result.
      if (stream === "stdout" && stdout.length < 1_000) stdout.push(piece.subarray(0, 100));
      running?.onOutput?.(stream, piece);
    },
    end: () => barrier.open(),
  };
}

async function gathered(output: AsyncIterable<OutputPart>): Promise<OutputPart[]> {
  const parts: OutputPart[] = [];
  for await (const part of output) parts.push(part);
  return parts;
}

const textOf = (parts: readonly OutputPart[]): string => parts.map(({ text }) => text).join("");

test("a reader sees it while it comes, and it ends once the outcome is recorded", async () => {
  const { runtime, session, execution, write, end, reply } = await stage();
  write("one\n");
  const reader = session.outputs.follow(execution)[Symbol.asyncIterator]();
  expect((await reader.next()).value).toEqual({ stream: "stdout", text: "one\n", skipped: 0 });
  const next = reader.next();
  write("two\n", "stderr");
  expect((await next).value).toEqual({ stream: "stderr", text: "two\n", skipped: 0 });
  const last = reader.next();
  end();
  expect((await last).done).toBe(true);
  expect(ofType(await recordsOf(runtime.reader), "execution.outcome")).toHaveLength(1);
  expect((await reply).status).toBe("completed");
  // A moment later it can still be read from its beginning, by operators too.
  expect(textOf(await gathered(session.outputs.follow(execution)))).toBe("one\ntwo\n");
  expect(textOf(await gathered(runtime.outputs.follow(execution)))).toBe("one\ntwo\n");
});

test("another session is told the same as of what never was, also when it has ended", async () => {
  const { runtime, session, execution, write, end, reply } = await stage();
  write("mine\n");
  const other = runtime.openSession({ channel: "agent" });
  const asked = (of: Session, id: string) => of.outputs.watch({ execution: id, from: 0, waitMs: 0 });
  const unknown = "00000000-0000-4000-8000-000000000000";
  const told = async (id: string): Promise<string> =>
    await asked(other, id).then(
      () => "output",
      (error: Error) => error.message.replace(id, "ID"),
    );
  const nothing = await told(unknown);
  expect(nothing).toMatch(/no execution `ID`/);
  expect(await told(execution)).toBe(nothing);
  end();
  await reply;
  expect(await told(execution)).toBe(nothing);
  expect((await asked(session, execution)).parts).toEqual([{ stream: "stdout", text: "mine\n" }]);
  expect(await told("__proto__")).toBe(nothing);
});

test("a secret in pieces is shown no more than the record shows it", async () => {
  const { runtime, session, execution, write, end, reply } = await stage();
  const shown: string[] = [];
  const read = (async () => {
    for await (const { text } of session.outputs.follow(execution)) shown.push(text);
  })();
  const whole = `login\npassword = "correct horse ${TOKEN}\n${TOKEN} done\xff\n`;
  for (const byte of Buffer.from(whole, "latin1")) {
    write(Uint8Array.of(byte));
    await new Promise(setImmediate);
    expect(shown.join("")).not.toContain("a1B2");
  }
  end();
  await Promise.all([read, reply]);
  const [outcome] = ofType(await recordsOf(runtime.reader), "execution.outcome");
  expect(shown.join("")).toBe(outcome?.body.result?.["stdout"]);
  expect(shown.join("")).toContain("[redacted:github-token] done\ufffd");
});

/** What is in use, without what nobody refers to any more: when that is collected depends on what else has run here. */
function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}

test("readers that never come back cost nothing, and a flood costs a bounded piece of memory", async () => {
  const { session, execution, write, end, reply } = await stage();
  const readers = Array.from({ length: 100 }, () => session.outputs.follow(execution)[Symbol.asyncIterator]());
  const line = "y\n".repeat(32_768);
  const before = usedBytes();
  for (let count = 0; count < 320; count += 1) write(line);
  expect(usedBytes() - before).toBeLessThan(40_000_000);
  const late = await readers[0]?.next();
  expect(late?.value?.skipped).toBeGreaterThan(20_000_000);
  end();
  expect((await reply).status).toBe("completed");
});

test("of those that wait there are no more than may be, and of another session none the fewer", async () => {
  const { runtime, session, execution, end, reply } = await stage();
  const watch = { execution, from: 0, waitMs: 600_000 };
  const waiting = Array.from({ length: 64 }, () => session.outputs.watch(watch));
  await expect(session.outputs.watch(watch)).rejects.toMatchObject({ code: "FEMTO_OVERLOADED" });
  const operator = runtime.outputs.watch(watch);
  end();
  for (const { state } of await Promise.all([...waiting, operator])) expect(state).toBe("ended");
  await reply;
});

test("what has ended stays readable for its session, whatever another one ends meanwhile", async () => {
  const talk = capability("talk", async ({ onOutput }) => {
    onOutput?.("stdout", Buffer.from("said"));
    return { stdout: "" };
  });
  const runtime = await startRuntime({ capabilities: [talk] });
  const [session, other] = [runtime.openSession({ channel: "agent" }), runtime.openSession({ channel: "agent" })];
  const { execution_id: mine } = await session.propose(call("talk"));
  for (let count = 0; count < 40; count += 1) await other.propose(call("talk"));
  expect(textOf(await gathered(session.outputs.follow(mine)))).toBe("said");
});

test("a call that is cancelled, and one whose session leaves, end their output", async () => {
  const { session, execution, write, reply } = await stage();
  const parts = gathered(session.outputs.follow(execution));
  write("begun ");
  session.close();
  session.cancel(execution);
  expect(textOf(await parts)).toBe("begun ");
  expect((await reply).status).toBe("completed");
});

test("a runtime that stops tells readers so, and what is left of a call is thrown away", async () => {
  const { runtime, session, execution, write, end, reply } = await stage();
  write("kept\n");
  end();
  await reply;
  await runtime.close();
  const asked = session.outputs.watch({ execution, from: 0, waitMs: 0 });
  await expect(asked).rejects.toMatchObject({ code: "FEMTO_DRAINING" });
  write("after the end\n");
});

test("of calls that have ended only the newest tell their output", async () => {
  const talk = capability("talk", ({ onOutput }) => {
    onOutput?.("stdout", Buffer.from("said\n"));
    return {};
  });
  const runtime = await startRuntime({ capabilities: [talk] });
  const session = runtime.openSession({ channel: "agent" });
  const ids: string[] = [];
  for (let count = 0; count < 40; count += 1) ids.push((await session.propose(call("talk"))).execution_id);
  const told = await Promise.allSettled(
    ids.map((execution) => session.outputs.watch({ execution, from: 0, waitMs: 0 })),
  );
  expect(told.filter(({ status }) => status === "fulfilled")).toHaveLength(32);
  expect([told[0]?.status, told.at(-1)?.status]).toEqual(["rejected", "fulfilled"]);
});

test("a call that is refused has no output, and one in the queue is waited for", async () => {
  const barrier = new Barrier(1);
  const slow = capability("slow", async ({ onOutput }) => {
    onOutput?.("stdout", Buffer.from("at last\n"));
    await barrier.arrive();
    return {};
  });
  const runtime = await startRuntime({ capabilities: [slow], configuration: { limits: { concurrency: 1 } } });
  const session = runtime.openSession({ channel: "agent" });
  const named: string[] = [];
  const propose = (tool: string) => session.propose(call(tool), { onIdentified: (id) => void named.push(id) });
  const first = propose("slow");
  await barrier.reached;
  const second = propose("slow");
  const refused = await propose("nothing");
  const watch = (execution: string | undefined) =>
    session.outputs.watch({ execution: execution ?? "", from: 0, waitMs: 0 });
  expect((await watch(named[1])).state).not.toBe("ended");
  await expect(watch(refused.execution_id)).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
  const output = gathered(session.outputs.follow(named[1] ?? ""));
  barrier.open();
  await Promise.all([first, second]);
  expect(textOf(await output)).toBe("at last\n");
});

test("what a capability hands over that is no output harms nobody", async () => {
  const odd = capability("odd", ({ onOutput }) => {
    const hand = onOutput as unknown as (stream: unknown, piece: unknown) => void;
    for (const [stream, piece] of [
      ["both", Buffer.from("x")],
      ["stdout", "text"],
      ["__proto__", null],
      [null, 7],
    ]) {
      hand(stream, piece);
    }
    return { ok: true };
  });
  const runtime = await startRuntime({ capabilities: [odd] });
  const reply = await runtime.openSession({ channel: "agent" }).propose(call("odd"));
  expect(reply).toMatchObject({ status: "completed", result: { ok: true } });
});
