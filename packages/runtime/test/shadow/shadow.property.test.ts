/** With and without rules on trial, whatever they say: the same decisions, replies, questions and effects. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProtocolMessage } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import fc from "fast-check";
import { expect, it } from "vitest";
import { call, capability, type Home } from "../runtime-fixture.ts";
import { BY, fileRule, onTrial, place, plain, verdictsOf } from "./shadow-fixture.ts";

const paths = fc.uniqueArray(fc.constantFrom("data", "data/small", "secrets", "secrets/key"), { maxLength: 3 });
const table = fc.record({ read: paths, write: paths }, { requiredKeys: [] });
const tables = fc.record({ allow: table, ask: table, deny: table }, { requiredKeys: [] });
const trial = fc.record({
  tables,
  rules: fc.subarray([
    fileRule("permit", "permit (principal, action, resource);"),
    fileRule("forbid", "forbid (principal, action, resource) when { context.session.calls > 2 };"),
    fileRule("err", "forbid (principal, action, resource is Path) when { context.bytes + 9223372036854775807 > 10 };"),
    fileRule("ask", '@approval("1")\nforbid (principal, action, resource) unless { context.approved };', {
      approvers: 1,
    }),
  ]),
});

const file = fc.constantFrom("data/small", "data/large", "secrets/key", "data/none");
const calls = fc.array(
  fc.oneof(
    fc.record({ tool: fc.constant("fs_read"), path: file }),
    fc.record({ tool: fc.constant("fs_list"), path: fc.constantFrom("data", "secrets") }),
    fc.record({ tool: fc.constantFrom("work", "nobody"), path: fc.constant(null) }),
    fc.record({ tool: fc.constant("fs_write"), path: file, content: fc.string({ maxLength: 4 }) }),
  ),
  { minLength: 1, maxLength: 8 },
);

const LOOK_AGAIN_MS = 5;
const CAPABILITIES = { fs_read: true, fs_write: true, fs_list: true, work: true } as const;

it("the enforced decision, the reply, what is asked and what is done are the same", async () => {
  const effects: string[] = [];
  const work = capability("work", ({ args }) => {
    effects.push(JSON.stringify(args));
    return {};
  });
  let judged = 0;
  // One runtime without and one with rules on trial; each round loads other tables into both.
  const options = { capabilities: [work], configuration: { capabilities: CAPABILITIES } };
  const sides = [await place(options), await place(options)] as const;
  await fc.assert(
    fc.asyncProperty(tables, trial, calls, async (inForce, candidate, messages) => {
      for (const [index, { home, runtime }] of sides.entries()) {
        const shadow = index === 0 ? {} : { shadow: candidate.tables };
        const configuration = home.configuration({ ...inForce, ...shadow, capabilities: CAPABILITIES });
        const files = index === 0 ? {} : { policyFiles: onTrial(...candidate.rules) };
        // What cannot come into force is on trial nowhere; that is tried out elsewhere.
        fc.pre(await stands(() => runtime.reload({ configuration, ...files }, BY)));
      }
      const found: unknown[] = [];
      for (const { home, runtime } of sides) {
        effects.length = 0;
        const sent = messages.map((one) => messageOf(home, one));
        found.push(await outcome(home, runtime, sent), [...effects]);
      }
      expect(found.slice(2)).toEqual(found.slice(0, 2));
      judged = (await verdictsOf(sides[1].runtime)).filter(([, shadow]) => shadow !== undefined).length;
      expect((await verdictsOf(sides[0].runtime)).every(([, shadow]) => shadow === undefined)).toBe(true);
    }),
    // A round takes a second; one that never ends is told with what it was about.
    { numRuns: 6, timeout: 60_000, endOnFailure: true },
  );
  expect(judged).toBeGreaterThan(0);
});

async function stands(load: () => Promise<unknown>): Promise<boolean> {
  try {
    await load();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^FEMTO_(POLICY|CONFIG)_INVALID$/) as string });
    return false;
  }
}

type Message = typeof calls extends fc.Arbitrary<(infer One)[]> ? One : never;

function messageOf(home: Home, { tool, path, ...more }: Message): ProtocolMessage {
  const args = path === null ? {} : { path: join(home.root, path) };
  const written = "content" in more ? { content: more.content, mode: "overwrite" } : {};
  return call(tool, { ...args, ...written });
}

async function outcome(home: Home, runtime: Runtime, messages: readonly ProtocolMessage[]): Promise<unknown> {
  const session = runtime.openSession({ channel: "agent" });
  const replies: unknown[] = [];
  const from = runtime.reader.size;
  for (const message of messages) replies.push(plain(await session.propose(message), home.root, from));
  // Every second question gets a yes, and the call goes on.
  for (const [index, question] of (await runtime.approvals.list()).entries()) {
    await answer(runtime, question, index % 2 === 0 ? "granted" : "refused");
    const again = await askedAgain(runtime, session, question.execution_id);
    if (again !== undefined) await answer(runtime, again, "refused");
    replies.push(plain(await session.wait(question.execution_id), home.root, from), again !== undefined);
  }
  const files = ["data/small", "data/large", "secrets/key"].map((name) => readFileSync(join(home.root, name), "utf8"));
  return { replies, files };
}

type Question = Awaited<ReturnType<Runtime["approvals"]["list"]>>[number];

async function answer(runtime: Runtime, { id, digest }: Question, given: "granted" | "refused"): Promise<void> {
  await runtime.approvals.answer({ id, digest, answer: given, scope: "once", by: BY });
}

/** The question that is asked anew after a yes, because another call has changed the file meanwhile; else undefined. */
async function askedAgain(runtime: Runtime, session: Session, execution: string): Promise<Question | undefined> {
  const ended = session.wait(execution).then(() => true);
  for (;;) {
    if ((await Promise.race([ended, sleep(LOOK_AGAIN_MS)])) === true) return undefined;
    const again = (await runtime.approvals.list()).find((question) => question.execution_id === execution);
    if (again !== undefined) return again;
  }
}
