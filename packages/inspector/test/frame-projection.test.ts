/** Frames are a second way to read history, so they are held to the first: the runtime's own fold, at every record. */
import { join } from "node:path";
import { TilesReader } from "@femtoclaw/journal";
import { type Commitment, parseJson, type TypedRecord } from "@femtoclaw/protocol";
import { subjectOf } from "@femtoclaw/protocol/execution-subject";
import { Projection } from "@femtoclaw/runtime";
import { describe, expect, test } from "vitest";
import { FrameProjection } from "../src/frame-projection.ts";
import { MACHINE_NAMES, type Summary } from "../src/frames.ts";
import { CHARTS } from "../src/generated/charts.ts";
import { History, needsPerson, stepAt } from "../src/history.ts";
import { InspectionFault } from "../src/inspection-fault.ts";
import { summaryOf } from "../src/summary.ts";

const GOLDEN = join(import.meta.dirname, "../../testing/golden");

async function recordsOf(version: string) {
  await using reader = await TilesReader.open(join(GOLDEN, version, "log"));
  const records: TypedRecord[] = [];
  for await (const record of reader.read(0, reader.size)) records.push(record);
  return records;
}

const leafOf = (value: unknown): string =>
  typeof value === "string" ? value : leafOf(Object.values(value as object)[0]);

const sorted = (summary: Summary): Summary => ({
  ...summary,
  // The runtime folds records of an older version with the machines of today.
  machines: Object.fromEntries(
    Object.entries(summary.machines).map(([name, { value }]) => [name, { value, sha256: "" }]),
  ) as Summary["machines"],
  actors: summary.actors.toSorted((left, right) => left.seq - right.seq),
});

function valuesOf(projection: Projection): Record<string, string> {
  const { phase } = projection.machine("lifecycle").value as { phase: unknown };
  const others = MACHINE_NAMES.filter((name) => name !== "lifecycle");
  return {
    lifecycle: leafOf(phase),
    ...Object.fromEntries(others.map((name) => [name, leafOf(projection.machine(name).value)])),
  };
}

describe.each(["0.2.0", "0.3.0"])("the golden journal of %s", (version) => {
  test("has the state of the fold at every record", async () => {
    const records = await recordsOf(version);
    const history = new History(CHARTS, null);
    const fold = new Projection();
    for (const record of records) {
      history.apply(record);
      fold.apply(record);
      const { seq } = record;
      expect(Object.fromEntries(MACHINE_NAMES.map((name) => [name, history.machineAt(name, seq).value]))).toEqual(
        valuesOf(fold),
      );
      for (const [id, { at }] of [...fold.open, ...fold.questions]) {
        expect(stepAt(history.execution(id), seq)?.value, id).toBe(at.state);
      }
      const running = history.executions.filter((execution) => {
        const kind = stepAt(execution, seq)?.kind;
        return kind === "running" || kind === "waiting";
      });
      expect(running.length).toBe(fold.open.size + fold.questions.size);
    }
    const { done, failed, denied, interrupted, message } = history.countsAt(records.length - 1);
    const { counters } = fold;
    expect([done, failed + denied, interrupted, message]).toEqual([
      counters.completed,
      counters.failed + counters.refused,
      // What a log takes over from the one before it was interrupted there.
      counters.interrupted + records.filter(({ type }) => type === "execution.inherited").length,
      counters.messages,
    ]);
  });

  test("goes on from the summary of any moment as if it had read all before", async () => {
    const records = await recordsOf(version);
    const whole = new History(CHARTS, null);
    for (const record of records) whole.apply(record);
    const fold = new Projection();
    const own = new FrameProjection(CHARTS, null);
    for (const [index, record] of records.entries()) {
      fold.apply(record);
      own.apply(record);
      if (index % 7 !== 0) continue;
      const summary = summaryOf({ v: 1, seq: index, actors: fold.snapshot() });
      expect(sorted(own.summary())).toEqual(sorted(summary));
      const tail = new History(CHARTS, summary);
      for (const later of records.slice(index + 1)) {
        tail.apply(later);
        for (const name of MACHINE_NAMES) {
          expect(tail.machineAt(name, later.seq).value).toBe(whole.machineAt(name, later.seq).value);
        }
      }
      for (const execution of tail.executions) {
        expect(execution.steps.at(-1)?.value).toBe(whole.execution(execution.id)?.steps.at(-1)?.value ?? "error");
      }
    }
  });

  test("gives frames in order, each with a name of its own", async () => {
    const history = new History(CHARTS, null);
    const frames = (await recordsOf(version)).flatMap((record) => history.apply(record));
    expect(new Set(frames.map(({ id }) => id)).size).toBe(frames.length);
    expect(frames.map(({ seq }) => seq)).toEqual(frames.map(({ seq }) => seq).sort((left, right) => left - right));
    for (const frame of frames) {
      expect(frame).toMatchObject({ _version: expect.any(String), rootId: expect.any(String) });
      expect(Number(frame.createdAt)).toBeGreaterThan(1_600_000_000_000);
      if (frame.type === "@xstate.actor") expect(CHARTS.map(({ sha256 }) => sha256)).toContain(frame.definitionRef);
    }
  });

  test("is not followed where a record is missing, twice there, or of another execution", async () => {
    const records = await recordsOf(version);
    const apply = (list: typeof records) => {
      const history = new History(CHARTS, null);
      for (const record of list) history.apply(record);
    };
    const at = records.findIndex(({ type }) => type === "execution.outcome");
    const outcome = records[at];
    if (outcome === undefined) throw new Error("there is no outcome");
    expect(() => apply(records.toSpliced(at, 1))).toThrow(InspectionFault);
    expect(() => apply(records.toSpliced(at, 0, outcome))).toThrow(InspectionFault);
    expect(() => apply(records.with(at, { ...outcome, execution: crypto.randomUUID() }))).toThrow(InspectionFault);
    const unknown = { ...outcome.machine, sha256: "0".repeat(64) };
    expect(() => apply(records.with(at, { ...outcome, machine: unknown }))).toThrow(InspectionFault);
  });
});

test("what is kept beside a record is named by its size, and not as the null that stands there", async () => {
  const lines: Record<string, string | undefined> = {};
  const history = new History(CHARTS, null);
  const beside = (path: string): Commitment => ({
    path,
    form: "text",
    bytes: 20_000,
    hmac: "0".repeat(64),
    kept: true,
  });
  for (const record of await recordsOf("0.3.0")) {
    const { body, type } = record;
    const args = { bin: "sort", argv: ["-n", null, null] };
    const changed =
      type === "message.recorded"
        ? { ...record, body: { ...body, content: null }, commitments: [beside("/content")] }
        : type === "execution.intent"
          ? { ...record, body: { ...body, args }, commitments: [beside("/args/argv/1")] }
          : record;
    history.apply(changed as TypedRecord);
    if (changed !== record) lines[type] ??= history.execution(record.execution ?? "")?.subject;
  }
  expect(lines).toEqual({
    "message.recorded": "(20,000 bytes beside the record)",
    "execution.intent": "sort -n (20,000 bytes beside the record) null",
  });
});

test("a refused request without arguments is shown as it was written", async () => {
  const refused = (await recordsOf("0.3.0")).find(({ type }) => type === "execution.refused");
  if (refused?.type !== "execution.refused") throw new Error("no request was refused");
  const { body } = refused;
  const lineOf = (head: string) =>
    subjectOf({ ...refused, body: { ...body, request: { ...body.request, head } } }, parseJson);
  const bare = '{"tool_call":{"tool":"no such tool","args":{}}}';
  expect(lineOf(bare)).toBe(bare);
  expect(lineOf('{"tool_call":{"tool":"fs_read","args":{"path":"notes.txt"}}}')).toBe("notes.txt");
});

test("arguments that have no text are shown as JSON, and hold up nothing", async () => {
  const odd = { toString: 0, valueOf: 0 };
  const history = new History(CHARTS, null);
  let shown: string | undefined;
  for (const record of await recordsOf("0.3.0")) {
    const isFirst = record.type === "execution.intent" && shown === undefined;
    const args = { bin: "sort", argv: ["-n", odd, "two words"] };
    history.apply(isFirst ? ({ ...record, body: { ...record.body, args } } as TypedRecord) : record);
    if (isFirst) shown = history.execution(record.execution ?? "")?.subject;
  }
  expect(shown).toBe('sort -n {"toString":0,"valueOf":0} "two words"');
});

test("an interrupted execution waits for a person until somebody has said what became of it", async () => {
  const history = new History(CHARTS, null);
  const records = await recordsOf("0.18.0");
  for (const record of records) history.apply(record);
  const resolved = records.find(({ type }) => type === "execution.resolved");
  const [execution, seq] = [history.execution(resolved?.execution ?? ""), resolved?.seq ?? 0];
  const [before, after] = [stepAt(execution, seq - 1), stepAt(execution, seq)];
  expect([before, after].map((step) => step?.kind)).toEqual(["interrupted", "interrupted"]);
  expect([before, after].map((step) => step !== undefined && needsPerson(step))).toEqual([true, false]);
  const asked = records.findLast(({ type }) => type === "approval.asked");
  const waiting = stepAt(history.execution(asked?.execution ?? ""), asked?.seq ?? 0);
  expect(waiting !== undefined && needsPerson(waiting)).toBe(true);
});

test("a list shows what is typed into a terminal before the terminal's identifier", async () => {
  const intent = (await recordsOf("0.18.0")).find((record) => record.type === "execution.intent");
  if (intent === undefined) throw new Error("nothing was executed");
  const args = { terminal_id: "7713", data: "rm notes\r" };
  const { commitments: _, ...record } = intent;
  const subject = subjectOf({ ...record, body: { ...intent.body, args } }, parseJson);
  expect(subject).toBe('{"data":"rm notes\\r","terminal_id":"7713"}');
});
