/** Events of OCSF: each class has what it must have, each number its name, and the page says the same. */
import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordActor, RecordEntry, RecordType, TypedRecord } from "@femtoclaw/protocol";
import { MACHINE_OF } from "@femtoclaw/protocol";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it, onTestFinished } from "vitest";
import { ocsfEvent } from "../../src/audit/ocsf-event.ts";
import { exportOcsf } from "../../src/index.ts";
import { encodeRecord } from "../../src/records/record.ts";
import { MACHINES, message } from "../journal-fixture.ts";
import { Machine } from "../machine.ts";

type Event = Record<string, unknown> & { class_uid: number; activity_id: number; unmapped: Record<string, unknown> };

const text = { type: "string", minLength: 1 };
const number = { type: "integer", minimum: 0 };
const object = (required: string[], properties: Record<string, unknown> = {}): object => ({
  type: "object",
  required,
  properties,
});
const named = object(["name"], { name: text });
const fingerprint = object(["algorithm_id", "algorithm", "value"], { algorithm_id: number, value: text });

/** What the classes in use demand, by hand and no more than that. */
const SCHEMA = {
  ...object(
    [
      ...["activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"],
      ...["activity_name", "category_name", "class_name", "type_name", "severity", "status", "status_id", "actor"],
      ...["attestation", "unmapped"],
    ],
    {
      time: number,
      severity_id: { enum: [1, 2, 3] },
      status_id: { enum: [0, 1, 2, 99] },
      metadata: object(["version", "product", "profiles", "uid", "sequence"], {
        version: { const: "1.9.0" },
        product: object(["name", "vendor_name"]),
        profiles: { type: "array", items: { enum: ["record_integrity", "security_control", "ai_operation"] } },
      }),
      actor: { anyOf: [object(["user"], { user: named }), object(["application"], { application: named })] },
      attestation: object(["uid", "chain_uid", "fingerprint", "signatures"], {
        fingerprint,
        signatures: { type: "array", items: object(["algorithm_id", "digest"], { digest: fingerprint }) },
      }),
      delegation: object(["uid"]),
      ai_agent: named,
      authorizations: { type: "array", items: object(["decision", "policy"]) },
      duration: number,
      exit_code: { type: "integer" },
    },
  ),
  oneOf: [
    object(["device", "file"], {
      class_uid: { const: 1001 },
      category_uid: { const: 1 },
      activity_id: { enum: [1, 2, 3, 4, 5, 8] },
      device: object(["type_id"]),
      file: object(["name", "type_id"], { type_id: { enum: [1, 2] } }),
    }),
    object(["device", "process"], {
      class_uid: { const: 1007 },
      category_uid: { const: 1 },
      activity_id: { enum: [1] },
      device: object(["type_id"]),
      process: object(["name", "file"], { file: object(["name", "path", "type_id"]) }),
    }),
    object(["app"], {
      class_uid: { const: 6002 },
      category_uid: { const: 6 },
      activity_id: { enum: [1, 3, 6, 7, 8, 99] },
      app: named,
    }),
    object(["api", "src_endpoint"], {
      class_uid: { const: 6003 },
      category_uid: { const: 6 },
      activity_id: { enum: [1, 4, 99] },
      api: object(["operation"]),
      src_endpoint: named,
    }),
  ],
};
const validate = new Ajv2020({ strict: false }).compile(SCHEMA);

const AGENT: RecordActor = {
  principal: "default",
  agent: "reviewer",
  channel: "agent",
  delegation: { uid: "session-1", parent: null, issuer: "runtime" },
};
const HASH = "ab".repeat(32);
const intentBody = {
  capability: "1.0.0",
  label: null,
  input_sha256: HASH,
  revision: "r1",
  rules: ["toml/allow.run.echo/1"],
  received_us: 1,
};
const program = {
  kind: "program",
  program: "/usr/bin/echo",
  real_path: "/usr/bin/echo",
  device: "1",
  inode: "2",
  sha256: HASH,
  arguments: 2,
  options: [],
  env: [],
  cwd: "/w",
} as const;
const file = (type: "file" | "directory") =>
  ({ kind: "path", path: "/w/notes.txt", exists: true, type, bytes: 0 }) as const;
const factsOf = (question: unknown) => ({ principal: "default", tool: "t", questions: [question] });

const recordOf = (type: RecordType, body: unknown, actor: RecordActor | null = AGENT): TypedRecord =>
  ({
    v: 1,
    seq: 12,
    at: "2026-11-25T10:00:00.123456Z",
    mono_us: 5,
    boot: "boot-1",
    type,
    actor,
    session: actor === null ? null : "session-1",
    execution: "execution-1",
    machine: MACHINES[MACHINE_OF[type]],
    body,
  }) as unknown as TypedRecord;

const intentOf = (tool: string, args: unknown, question: unknown) =>
  recordOf("execution.intent", { ...intentBody, tool, args, facts: factsOf(question) }) as TypedRecord & {
    type: "execution.intent";
  };
const checkpoint = { size: 20, root: new Uint8Array(32) };

function eventOf(record: TypedRecord, intent?: TypedRecord & { type: "execution.intent" }): Event {
  const context = { origin: "femtoclaw.local/x", checkpoint, ...(intent === undefined ? {} : { intent }) };
  const event = ocsfEvent(record, encodeRecord(record), context) as Event;
  expect(validate(event), JSON.stringify(validate.errors)).toBe(true);
  expect(event["type_uid"]).toBe(event.class_uid * 100 + event.activity_id);
  // The same record gives the same bytes.
  expect(JSON.stringify(ocsfEvent(structuredClone(record), encodeRecord(record), context))).toBe(JSON.stringify(event));
  expect(event.unmapped["body"]).toEqual(record.body);
  return event;
}

const run = intentOf("process_exec", { bin: "echo", argv: ["a", "b"], cwd: "/w" }, program);
const succeeded = { intent: 12, event: "succeeded", began: true, duration_us: 2_500, sandbox: null };

it("makes a process of a program, with its file, its line and its exit code", () => {
  expect(eventOf(run)).toMatchObject({
    class_uid: 1007,
    activity_name: "Launch",
    type_uid: 100_701,
    time: Date.parse("2026-11-25T10:00:00.123Z"),
    status: "Permitted",
    action: "Allowed",
    authorizations: [{ policy: { uid: "r1", name: "toml/allow.run.echo/1" } }],
    process: {
      name: "echo",
      cmd_line: "/usr/bin/echo a b",
      working_directory: "/w",
      file: { path: "/usr/bin/echo", hashes: [{ algorithm_id: 3, value: HASH }] },
    },
    actor: { user: { name: "default" }, session: { uid: "session-1" } },
    ai_agent: { name: "reviewer" },
    delegation: { uid: "session-1", issuer_uid: "runtime" },
    metadata: { correlation_uid: "execution-1", profiles: ["record_integrity", "security_control", "ai_operation"] },
  });
  const ended = eventOf(recordOf("execution.outcome", { ...succeeded, result: { exit_code: 3 } }), run);
  expect(ended).toMatchObject({ class_uid: 1007, status: "Success", exit_code: 3, duration: 3 });
});

it("writes all programs of a pipeline into its line", () => {
  const piped = intentOf("process_exec", { pipeline: [{ bin: "echo", argv: ["a"] }, { bin: "echo" }] }, program);
  const { facts } = piped.body;
  if (facts === null) throw new Error("an intent has facts");
  const both = { ...facts, questions: [...facts.questions, ...facts.questions] as typeof facts.questions };
  expect(eventOf({ ...piped, body: { ...piped.body, facts: both } })).toMatchObject({
    process: { cmd_line: "/usr/bin/echo a | /usr/bin/echo" },
  });
});

it("makes a file of what files are used for, and says what was done to it", () => {
  const use = (tool: string, args: unknown, type: "file" | "directory" = "file") =>
    eventOf(intentOf(tool, args, file(type)));
  expect(use("fs_read", {})).toMatchObject({ class_uid: 1001, activity_name: "Read", file: { name: "notes.txt" } });
  expect(use("fs_list", {}, "directory")).toMatchObject({ activity_name: "Read", file: { type: "Folder" } });
  expect(use("fs_write", { mode: "create" })).toMatchObject({ activity_name: "Create" });
  expect(use("fs_write", { mode: "append" })).toMatchObject({ activity_name: "Update" });
  expect(use("fs_edit", {})).toMatchObject({ activity_name: "Update" });
  expect(use("fs_move", {})).toMatchObject({ activity_name: "Rename", type_uid: 100_105 });
  expect(use("fs_delete", {})).toMatchObject({ activity_name: "Delete" });
  expect(use("fs_stat", {})).toMatchObject({ activity_name: "Get Attributes" });
  // Arguments that left the record leave the question as it was.
  expect(use("fs_write", null)).toMatchObject({ class_uid: 1001, activity_name: "Update" });
});

it("makes a call of an interface of every other tool, of a denial, and of an end whose intent is not there", () => {
  const other = intentOf("custom_tool", {}, { kind: "tool" });
  expect(eventOf(other)).toMatchObject({ class_uid: 6003, api: { operation: "custom_tool" } });
  const error = {
    error_type: "AuthorizationError",
    code: "FEMTO_POLICY_FORBIDDEN",
    reason: "no",
    fix: "",
    timestamp: "",
  };
  const refusal = {
    tool: "fs_read",
    request: { bytes: 1, head: "", payload: null },
    label: null,
    event: "denied",
    decision: "DENIED_POLICY_VIOLATION",
    facts: null,
    input_sha256: null,
    revision: "r1",
    rules: ["x"],
    error,
  };
  expect(eventOf(recordOf("execution.refused", refusal))).toMatchObject({
    class_uid: 6003,
    status_code: "FEMTO_POLICY_FORBIDDEN",
    action: "Denied",
    disposition: "Blocked",
    severity: "Low",
  });
  const failed = { ...succeeded, event: "timedOut", error };
  expect(eventOf(recordOf("execution.outcome", failed))).toMatchObject({ class_uid: 6003, status: "Failure" });
  const interrupted = recordOf("execution.interrupted", { intent: 12, tool: "process_exec", boot: "b" }, null);
  expect(eventOf(interrupted, run)).toMatchObject({ class_uid: 1007, status: "Unknown", severity: "Medium" });
});

it("names the first executable an installation, and an executable that was put back a failed update", () => {
  const to = { version: "0.16.0", binary: "a".repeat(64) };
  const change = { id: "i", at: "2026-11-25T10:00:00.000000Z", from: null, to };
  const installed = eventOf(recordOf("deployment.changed", { ...change, change: "installed" }, null));
  expect(installed).toMatchObject({ activity_id: 1, activity_name: "Install", type_uid: 600201, status: "Success" });
  const back = { ...change, change: "rolled_back", from: to, reason: "it did not become idle" };
  expect(eventOf(recordOf("deployment.changed", back, null))).toMatchObject({
    activity_name: "Update",
    status: "Failure",
  });
});

it("has an event for every type of record", () => {
  const bodies: Partial<Record<RecordType, unknown>> = {
    "lifecycle.changed": { event: "fault", from: "idle", to: "error", fault: { code: "C", reason: "r" } },
    "supervision.crashed": { subsystem: "policy", code: "C", reason: "r", at_ms: 1, decision: "restart" },
    "execution.inherited": { record: 1, tool: "t" },
    "memory.changed": { state: "full", reason: "r" },
    "session.halted": { recorded: 200, event: "denied", code: "C" },
    "overload.refused": { count: 1, code: "FEMTO_OVERLOADED" },
    "execution.outcome": succeeded,
    "execution.interrupted": { intent: 1, tool: "t", boot: "b" },
    "execution.refused": { tool: null, error: { code: "C", reason: "r" }, revision: null, rules: [] },
    "execution.intent": { ...intentBody, tool: "t", args: null, facts: null },
  };
  const types = Object.keys(MACHINE_OF) as RecordType[];
  const classes = new Map(types.map((type) => [type, eventOf(recordOf(type, bodies[type] ?? {}, null))]));
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/reference/ocsf.md"), "utf8");
  for (const [type, { class_uid, class_name, activity_id, activity_name }] of classes) {
    if (type.startsWith("execution.")) expect(page).toContain(`\`${type}\``);
    else expect(page).toContain(`| \`${type}\` | ${class_name} ${class_uid} | ${activity_name} ${activity_id} |`);
  }
});

it("exports a log as one event a line, with the checkpoint that vouches for all of them beside it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "femtoclaw-ocsf-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { journal } = await new Machine().boot();
  const entry: RecordEntry = { ...message("hello", "e"), actor: AGENT } as RecordEntry;
  for (let count = 0; count < 3; count += 1) await journal.append(entry as Parameters<typeof journal.append>[0]);
  const note = await journal.checkpoint();
  const out = join(folder, "events.jsonl");
  expect(await exportOcsf(journal, out)).toEqual({ size: 4 });
  const lines = readFileSync(out, "utf8").trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Event);
  expect(events.map((event) => (event["metadata"] as { sequence: number }).sequence)).toEqual([0, 1, 2, 3]);
  for (const event of events) expect(validate(event)).toBe(true);
  expect(readFileSync(`${out}.checkpoint`, "utf8")).toBe(note);
  await exportOcsf(journal, join(folder, "again.jsonl"));
  expect(readFileSync(join(folder, "again.jsonl"), "utf8")).toBe(readFileSync(out, "utf8"));
  await journal.close();
});
