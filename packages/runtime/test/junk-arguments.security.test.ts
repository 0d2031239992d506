/** Whatever is passed where no types help, to any method that is public: a plain error, and a log that can be read. */
import { FemtoError, validateRecord } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, capability, Home, recordsOf } from "./runtime-fixture.ts";

const echo = capability("echo", ({ args }) => args);
const BOOM = "read by a trap";
const JUNK: readonly unknown[] = [
  ...[undefined, null, 5, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, true, "", "x", "\ud800", 10n, Symbol("s")],
  ...[[], [5], {}, { length: 1 }, () => 1, new Date(0), { toString: null }, Object.create(null)],
  new Proxy({}, { get: () => fail(BOOM) }),
];

function fail(why: string): never {
  throw new Error(why);
}

interface Targets {
  readonly runtime: Runtime;
  readonly session: Session;
}

/** Any method, called with arguments that its types forbid. */
type Misuse = (targets: { readonly [Name in keyof Targets]: Loose }, junk: unknown) => unknown;
// biome-ignore lint/suspicious/noExplicitAny: what is tried is what the types forbid
type Loose = any;

const BY = "uid:0";
const REASON = new FemtoError("FEMTO_POLICY_INVALID", "x");
const TRIED: readonly (readonly [name: string, misuse: Misuse])[] = [
  ["undo", ({ runtime }, junk) => runtime.undo(junk)],
  ["a halt", ({ runtime }, junk) => runtime.haltSession(junk)],
  ["a halt's session", ({ runtime }, session) => runtime.haltSession({ session, by: BY })],
  ["a halt's operator", ({ runtime, session }, by) => runtime.haltSession({ session: session.id, by })],
  ["a halt's reason", ({ runtime }, reason) => runtime.haltSession({ session: "x", by: BY, reason })],
  ["a resolution", ({ runtime }, junk) => runtime.resolveExecution(junk)],
  [
    "a resolution's execution",
    ({ runtime }, execution) => runtime.resolveExecution({ execution, resolution: "done", reason: "r", by: BY }),
  ],
  [
    "a resolution's reason",
    ({ runtime }, reason) => runtime.resolveExecution({ execution: "x", resolution: "done", reason, by: BY }),
  ],
  ["a rejected policy", ({ runtime }, junk) => runtime.rejectPolicy(junk, BY)],
  ["a rejecting operator", ({ runtime }, junk) => runtime.rejectPolicy(REASON, junk)],
  ["a reload", ({ runtime }, junk) => runtime.reload(junk, BY)],
  ["a reloaded configuration", ({ runtime }, configuration) => runtime.reload({ configuration }, BY)],
  ["a capability", ({ runtime }, junk) => runtime.switchCapability(junk, true, BY)],
  ["a switching operator", ({ runtime }, junk) => runtime.switchCapability("echo", true, junk)],
  ["a fork", ({ runtime }, junk) => runtime.fork(junk, "/nowhere/at/all")],
  ["a fork's place", ({ runtime }, junk) => runtime.fork(0, junk)],
  ["a session", ({ runtime }, junk) => runtime.openSession(junk)],
  ["a principal", ({ runtime }, principal) => runtime.openSession({ channel: "library", principal })],
  ["a message", ({ session }, junk) => session.propose(junk)],
  ["a wait", ({ session }, junk) => session.wait(junk)],
  ["the turns of a wait", ({ session }, junk) => session.wait("x", junk)],
  ["changes", ({ session }, junk) => session.changes(junk)],
  ["the place of changes", ({ session }, from) => session.changes({ from, waitMs: 0 })],
  ["the time for changes", ({ session }, waitMs) => session.changes({ from: 1, waitMs })],
  ["a subscription", ({ session }, junk) => session.unsubscribe(junk, junk)],
  ["a question of a server", ({ session }, junk) => session.answer(junk, {})],
  ["a cancelled call", ({ session }, junk) => session.cancel(junk)],
  ["watched output", ({ session }, junk) => session.outputs.watch(junk)],
  [
    "the execution of watched output",
    ({ session }, execution) => session.outputs.watch({ execution, from: 0, waitMs: 0 }),
  ],
  ["followed output", ({ session }, junk) => session.outputs.follow(junk)[Symbol.asyncIterator]().next()],
  ["output for operators", ({ runtime }, junk) => runtime.outputs.watch(junk)],
  ["a page of questions", ({ runtime }, junk) => runtime.approvals.list(junk, junk)],
  ["watched questions", ({ runtime }, junk) => runtime.approvals.watch(junk, { waitMs: 0, left: AbortSignal.abort() })],
  ["the wait for questions", ({ runtime }, junk) => runtime.approvals.watch(0, junk)],
  ["a question", ({ runtime }, junk) => runtime.approvals.show(junk)],
  ["an answer", ({ runtime }, junk) => runtime.approvals.answer(junk)],
  [
    "an answered question",
    ({ runtime }, id) => runtime.approvals.answer({ id, answer: "granted", scope: "once", digest: "x", by: BY }),
  ],
  ["a signed answer", ({ runtime }, junk) => runtime.approvals.answerSigned(junk)],
  ["a terminal", ({ runtime }, junk) => runtime.terminals.watch(junk, 0, 0)],
  ["the place in a terminal", ({ runtime }, junk) => runtime.terminals.watch("x", junk, 0)],
  ["an accepted server", ({ runtime }, junk) => runtime.upstreams.accept(junk, [], BY)],
  ["accepted tools", ({ runtime }, junk) => runtime.upstreams.accept("x", junk, BY)],
  ["a reset server", ({ runtime }, junk) => runtime.upstreams.reset(junk, BY)],
  ["an accepted package", ({ runtime }, junk) => runtime.packages.accept(junk, [], BY)],
  ["accepted files", ({ runtime }, junk) => runtime.packages.accept("x", junk, BY)],
  ["a reset package", ({ runtime }, junk) => runtime.packages.reset(junk, BY)],
  ["a secret", ({ runtime }, junk) => runtime.secrets.add(junk, BY)],
  ...(["name", "host", "port", "value"] as const).map((field): [string, Misuse] => [
    `a secret's ${field}`,
    ({ runtime }, junk) =>
      runtime.secrets.add({ name: "a", host: "a.test", port: 443, value: "abcdefghijkl", [field]: junk }, BY),
  ]),
  ["a removed secret", ({ runtime }, junk) => runtime.secrets.remove(junk, BY)],
  ["an erasure", ({ runtime }, junk) => runtime.retention.erase(junk, BY)],
  ["a boundary", ({ runtime }, junk) => runtime.retention.prune(junk, BY)],
  ["the number of a boundary", ({ runtime }, before) => runtime.retention.prune({ before }, BY)],
  ["the age of a boundary", ({ runtime }, olderThanMs) => runtime.retention.prune({ before: { olderThanMs } }, BY)],
  ["the growth of the log", ({ runtime }, junk) => runtime.growth.until(runtime.reader, junk, junk)],
];

/** The error of the engine for a line that did not expect this. */
const ENGINES_OWN = /Cannot |is not a function|is not iterable|destructure|The "\w+.*" argument|Do not know how/;

async function errorOf(tried: () => unknown): Promise<unknown> {
  try {
    await tried();
    return null;
  } catch (error) {
    return error;
  }
}

describe("a method that is called with junk", () => {
  const home = new Home();
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await home.start({ capabilities: [echo] });
  });
  afterAll(async () => {
    await runtime.close();
    home.remove();
  });

  it.each(TRIED)("says what is wrong with %s", async (_name, misuse) => {
    const session = runtime.openSession({ channel: "library" });
    const before = await runtime.reader.prunedBefore();
    for (const junk of JUNK) {
      const error = await errorOf(() => misuse({ runtime, session }, junk));
      if (error === null || (error instanceof Error && error.message === BOOM)) continue;
      expect(error instanceof FemtoError || error instanceof TypeError, String(error)).toBe(true);
      expect((error as Error).message).not.toMatch(ENGINES_OWN);
      expect(error, String(error)).not.toMatchObject({ code: "FEMTO_INTERNAL" });
    }
    expect((await session.propose(call("echo"))).status).toMatch(/completed|error/);
    const unreadable = (await recordsOf(runtime.reader)).filter((record) => !validateRecord(record));
    expect(unreadable).toEqual([]);
    expect(await runtime.reader.prunedBefore()).toBe(before);
  });
});
