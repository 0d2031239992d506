/**
 * A short history with records of every type: a story of one host, from its first start over a crash to its end. Real
 * runtimes write it. For `tools/golden/freeze-golden.ts`.
 */

import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { operatorSigner, readOperatorKey, signAnswer } from "@femtoclaw/journal";
import type { ApprovalCard } from "@femtoclaw/protocol";
import { listExecutions, type Runtime, type RuntimeOptions, type TelemetrySource } from "@femtoclaw/runtime";
import { call, capability, configured, OPERATOR, start, succeeded } from "./golden-runtime.ts";
import { appendTrouble } from "./golden-trouble.ts";

/** Writes the history below `root` and returns its state directory, keys included. */
export async function writeStory(root: string): Promise<string> {
  for (const folder of ["workspace", "asked"]) mkdirSync(join(root, folder));
  const state = await untilCopied(root);
  await untilCrash(root, state);
  await afterCrash(root, state);
  await appendTrouble(state);
  return state;
}

/** A life that only comes before the one that is kept: a copy of its directory begins a new log. */
async function untilCopied(root: string): Promise<string> {
  const state = join(root, "state");
  await whileCallWaits(await startWaiting(root, "first"), async () =>
    cpSync(join(root, "first"), state, { recursive: true }),
  );
  return state;
}

/** Makes every kind of call, switches capabilities, rotates the key, and then cuts the power. */
async function untilCrash(root: string, state: string): Promise<void> {
  let telemetry: TelemetrySource | undefined;
  const waiting = await startWaiting(root, state, {
    kind: "otlp",
    start: async (source) => {
      telemetry = source;
      return 0;
    },
    wake: () => undefined,
    stop: async () => 0,
  });
  const { runtime } = waiting;
  await everyCall(runtime, 2);
  await runtime.switchCapability({ name: "off", enabled: true, by: "operator" });
  await runtime.switchCapability({ name: "off", enabled: false, by: "operator" });
  await runtime.rotateKey();
  telemetry?.onChange("degraded", 3, "no route");
  telemetry?.onChange("exporting", 9);
  await everyCall(runtime, 2);
  const [journal, kept] = [join(state, "journal"), join(root, "kept")];
  await whileCallWaits(waiting, async () => cpSync(journal, kept, { recursive: true }));
  // What was written after the cut never reached the disk.
  for (const name of readdirSync(journal)) rmSync(join(journal, name));
  cpSync(kept, journal, { recursive: true });
}

/** Marks what was cut off as interrupted and resolves it, makes more calls than are admitted, and erases a value. */
async function afterCrash(root: string, state: string): Promise<void> {
  const runtime = await start(root, state, []);
  const [interrupted] = await listExecutions(runtime.reader, { limit: 1, status: "interrupted" });
  await runtime.resolveExecution({
    execution: interrupted?.execution_id ?? "",
    resolution: "not-done",
    reason: "nothing was written",
    by: "operator",
  });
  const session = runtime.openSession({ channel: "library", label: "many at once" });
  await Promise.all(Array.from({ length: 60 }, (_, n) => session.propose(call("quick", { n }))));
  await everyCall(runtime, 2);
  await useTerminal(runtime);
  await askOperators(root, state, runtime);
  await eraseValue(runtime);
  await runtime.close();
}

/** A terminal that echoes, gets another size and is closed. */
async function useTerminal(runtime: Runtime): Promise<void> {
  await using session = runtime.openSession({ channel: "agent", label: "on a terminal" });
  const { result } = await session.propose(call("terminal_open", { bin: "cat" }));
  const terminal_id = result?.["terminal_id"];
  if (terminal_id === undefined) throw new Error("no terminal was opened");
  await session.propose(call("terminal_write", { terminal_id, data: "echoed\r" }));
  await session.propose(call("terminal_resize", { terminal_id, cols: 100, rows: 30 }));
  await session.propose(call("terminal_read", { terminal_id, timeout_ms: 1_000 }));
  await session.propose(call("terminal_close", { terminal_id }));
}

/** Questions that are answered and one that stays open; a policy that is activated and one that is rejected. */
async function askOperators(root: string, state: string, runtime: Runtime): Promise<void> {
  const session = runtime.openSession({ channel: "agent", label: "asking" });
  const append = (n: number) =>
    session.propose(call("fs_write", { path: join(root, "asked/note"), content: `${n}\n`, mode: "append" }));
  for (const answer of ["granted", "refused"] as const) {
    const { execution_id } = await append(answer.length);
    const [question] = await runtime.approvals.list();
    if (question === undefined) throw new Error("nothing was asked");
    const { id, digest } = question;
    await runtime.approvals.answer({ id, digest, answer, scope: "once", reason: "golden", by: "operator" });
    await session.wait(execution_id);
  }
  const signed = await append(7);
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing was asked");
  await runtime.approvals.answerSigned(signedYes(question));
  await session.wait(signed.execution_id);
  await runtime.reload({ configuration: configured(root, state, { deny: { read: ["asked/kept"] } }) }, "operator");
  const bad = configured(root, state, { limits: { concurrency: 11 } });
  await runtime.reload({ configuration: bad }, "operator").catch(() => undefined);
  await append(0);
  await everyCall(runtime, 2);
}

function signedYes({ log, id, digest, expires_at: expiresAt }: ApprovalCard): string {
  const key = readOperatorKey(OPERATOR.pem, null);
  const signer = key === null ? null : operatorSigner(key, [OPERATOR.vkey]);
  if (signer === null) throw new Error("a new key is readable");
  const said = { log, question: Number(id), digest, answer: "granted", scope: "once", reason: "golden" } as const;
  return signAnswer({ ...said, signedAt: new Date().toISOString(), expiresAt }, signer);
}

async function eraseValue(runtime: Runtime): Promise<void> {
  for await (const { seq, commitments } of runtime.reader.readFrom(0)) {
    if (commitments === undefined) continue;
    await runtime.retention.erase({ seq, reason: "nobody needs it" }, "operator");
    return;
  }
}

interface Waiting {
  readonly runtime: Runtime;
  readonly begun: Promise<void>;
  release(): void;
}

/** A runtime with a capability that waits until it is released. */
async function startWaiting(root: string, state: string, telemetry?: RuntimeOptions["telemetry"]): Promise<Waiting> {
  const [held, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const waits = capability("waits", async () => {
    begun.resolve();
    await held.promise;
    return succeeded({});
  });
  const runtime = await start(root, state, [waits], telemetry);
  return { runtime, begun: begun.promise, release: held.resolve };
}

/** Copies the files while an effect runs: a machine that lost power then would find them like that. */
async function whileCallWaits({ runtime, begun, release }: Waiting, copy: () => Promise<void>): Promise<void> {
  const pending = runtime.openSession({ channel: "agent" }).propose(call("waits"));
  await begun;
  await copy();
  release();
  await pending;
  await runtime.close();
}

/** One call of each kind that ends in a record of its own, from every channel. */
async function everyCall(runtime: Runtime, rounds: number): Promise<void> {
  for (const channel of ["library", "agent", "operator"] as const) {
    await using session = runtime.openSession({ channel, label: channel });
    for (let n = 0; n < rounds; n += 1) {
      await session.propose({ message: { content: `round ${n}` } });
      await session.propose(call("quick", { n }));
      await session.propose(call("large"));
      await session.propose(call("quick", { text: "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789" }));
      await session.propose(call("fails"));
      await session.propose(call("throws"));
      await session.propose(call("goes", { url: "http://127.0.0.1:9/" }));
      await session.propose(call("off"));
      await session.propose(call("quick", { n: "no number" }));
      await session.propose(call("unknown"));
      await session.propose(Buffer.from("{"));
    }
  }
}
