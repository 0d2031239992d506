/** Facts and rules can stand beside their records. What is put back is decided on only if it is facts and rules. */
import type { JournalReader } from "@femtoclaw/journal";
import type { RunTable, TypedRecord } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { AS_RECORDED, type DecidedLog, policyDifference, RecordedJudge } from "@femtoclaw/runtime/redecide";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, capability, Home, ofType, recordsOf } from "../runtime-fixture.ts";

/** More options than a record has room for. */
const FLAGS = Array.from({ length: 900 }, (_, at) => `--option-${at}-${"x".repeat(80)}`);
/** More rules than a record has room for. */
const WORDS = Array.from({ length: 59 }, (_, at) => `word-${at}-${"y".repeat(240)}`);
const PROGRAMS = ["cat", "ls", "wc", "head", "tail"];

let home: Home;
let runtime: Runtime;

beforeAll(async () => {
  home = new Home();
  const runs = capability("runs", () => ({}), {
    effect: "execute",
    input: {
      type: "object",
      additionalProperties: false,
      properties: { bin: { type: "string" }, argv: { type: "array", items: { type: "string" } } },
    },
    arguments: [{ pointer: "/bin", kind: "program", argv: "/argv" }],
  });
  const run = Object.fromEntries(PROGRAMS.map((program) => [program, ["word", ...WORDS] as const]));
  runtime = await home.start({ capabilities: [runs], permit: [], configuration: { allow: { run: run as RunTable } } });
  const session = runtime.openSession({ channel: "agent" });
  await session.propose(call("runs", { bin: "cat", argv: ["word", ...FLAGS] }));
});

afterAll(async () => {
  await runtime.close({ drainMs: 0 });
  home.remove();
});

async function again(withValues: JournalReader["withValues"]) {
  const { reader } = runtime;
  const log: DecidedLog = {
    size: reader.size,
    read: (from, to) => reader.read(from, to),
    prunedBefore: () => reader.prunedBefore(),
    withValues,
  };
  return await policyDifference(log, { before: AS_RECORDED, after: await RecordedJudge.open(""), exact: true });
}

/** The values as they are, but for one member of the bodies that have it. */
function forged(member: "facts" | "rules", value: unknown): JournalReader["withValues"] {
  return async (stored) => {
    const { record } = await runtime.reader.withValues(stored);
    const body = member in record.body && record.commitments ? { ...record.body, [member]: value } : record.body;
    return { record: { ...record, body } as TypedRecord, erased: [] };
  };
}

it("what stands beside its record is decided on as what stands in it", async () => {
  const records = await recordsOf(runtime.reader);
  expect(ofType(records, "policy.activated").map(({ body }) => body.rules)).toEqual([null]);
  expect(ofType(records, "execution.refused").map(({ body }) => body.facts)).toEqual([null]);
  const found = await again((record) => runtime.reader.withValues(record));
  expect(found).toMatchObject({ calls: 1, changed: 0, undecidable: [] });
});

it.each([
  ["facts", "text"],
  ["facts", 7],
  ["facts", []],
  ["facts", {}],
  ["facts", { questions: null }],
  ["facts", { questions: "all" }],
  ["facts", { questions: [] }],
  ["facts", { questions: [{ kind: "path" }] }],
  ["rules", "text"],
  ["rules", [null]],
  ["rules", [{ id: 1, text: 2, source: null }]],
  ["rules", { length: 3 }],
] as const)("%s that are none, such as %j, leave the call undecided", async (member, value) => {
  expect(await again(forged(member, value))).toMatchObject({ calls: 0, undecidable: [{ count: 1 }] });
});

it("rules that another revision names leave the call undecided", async () => {
  const found = await again(forged("rules", [{ id: "a", text: "permit(principal, action, resource);", source: null }]));
  expect(found.undecidable).toMatchObject([{ reason: expect.stringContaining("does not name these rules") }]);
});
