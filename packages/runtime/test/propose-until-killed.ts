/**
 * A process of the crash tests: fifty callers propose for ever, each effect leaves a line in a file, and
 * each reply is printed once it came. It ends when it is killed or when its journal fails.
 */
import { appendFileSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { Capability } from "@femtoclaw/capabilities";
import { createRuntime, resolveConfiguration } from "@femtoclaw/runtime";

const CALLERS = 50;
// Whoever is killed keeps nothing of what it compiled, unless it was written before.
flushCompileCache();
const [root = "", life = "", snapshotEvery = "1000", state = "state"] = process.argv.slice(2);

const leaveLine: Capability = {
  manifest: {
    name: "leave_line",
    version: "1.0.0",
    description: "leaves a line",
    effect: "write",
    idempotent: false,
    input: { type: "object", additionalProperties: false, properties: { id: { type: "string" } } },
    output: { type: "object" },
    arguments: [],
    limits: { timeout_ms: 30_000, output_bytes: 1_024 },
  },
  isolation: "in-process",
  trusted: true,
  execute: async ({ args }) => {
    await setTimeout(Math.random() * 3);
    appendFileSync(join(root, "effects"), `${String(args["id"])}\n`);
    await setTimeout(Math.random() * 3);
    return { event: "succeeded", result: { id: args["id"] ?? "" }, sandbox: null };
  },
};

const runtime = await createRuntime({
  configuration: resolveConfiguration({
    configuration: { memory: { path: state }, host: { runtime_dir: "run" }, capabilities: { leave_line: true } },
    baseDirectory: root,
    environment: { HOME: root },
  }),
  capabilities: [leaveLine],
  permit: ["leave_line"],
  snapshotEveryRecords: Number(snapshotEvery),
});

const print = (value: unknown): void => void writeSync(1, `${JSON.stringify(value)}\n`);
let isFailed = false;

async function proposeForEver(caller: number): Promise<void> {
  await using session = runtime.openSession({ channel: "agent", label: `caller ${caller}` });
  for (let count = 0; !isFailed; count += 1) {
    const id = `${life}-${caller}-${count}`;
    const tool = count % 7 === 3 ? "nobody" : "leave_line";
    const { execution_id, status, record, error } = await session.propose({ tool_call: { tool, args: { id } } });
    print({ id, execution: execution_id, status, seq: record?.seq ?? null, code: error?.code ?? null });
  }
}

const callers = Array.from({ length: CALLERS }, (_, caller) => proposeForEver(caller));
const { code } = await runtime.failed;
isFailed = true;
await Promise.all(callers);
await using session = runtime.openSession({ channel: "agent" });
const late = await session.propose({ tool_call: { tool: "leave_line", args: { id: "late" } } });
print({ failed: code, phase: runtime.status().phase, late: late.error?.code ?? late.status });
await runtime.close();
