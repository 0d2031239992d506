/**
 * The cost of a question to operators: asking it, answering it, and completing the call; with few and with many open.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRuntime, type Runtime, resolveConfiguration, type Session } from "@femtoclaw/runtime";
import { type BenchContext, twoSyncPutsMs } from "./context.ts";
import { scaled } from "./effort.ts";
import { completed } from "./execution.ts";
import { Measurement, type MeasureRow } from "./measurement.ts";
import { median } from "./quantiles.ts";

/** The number of open questions, the larger one near the most that an operator can configure. */
const WAITING = [0, 10_000];
const AT_ONCE = 16_384;
const PER_SESSION = 8;
const QUESTIONS = 64;
/** Sessions that ask at once, so that the records of waiting questions are written together. */
const SESSIONS_AT_ONCE = 64;
/** Longer than any measurement takes. */
const WAIT_MS = 86_400_000;
/** Files to ask about; a session asks about none twice. */
const FILES = 256;

export async function measureApprovals(context: BenchContext): Promise<MeasureRow[]> {
  const { directory, effort, onProgress } = context;
  await using runtime = await askingRuntime(directory);
  const measured = WAITING.map((waiting) => ({
    waiting,
    ask: new Measurement({ preset: "approvals", measure: "ask", unit: "ms", waiting }),
    answer: new Measurement({ preset: "approvals", measure: "answer", unit: "ms", waiting }),
    whole: new Measurement({ preset: "approvals", measure: "answer to reply", unit: "ms", waiting }),
  }));
  const asked = new Asker(runtime);
  await asked.round(PER_SESSION);
  for (let round = 1; round <= effort.rounds; round += 1) {
    onProgress(`round ${round} of ${effort.rounds}`);
    for (const { waiting, ask, answer, whole } of measured) {
      await using _ = await asked.open(waiting);
      const times = await asked.round(scaled(QUESTIONS, effort));
      ask.addValue(median(times.map(({ askMs }) => askMs)));
      answer.addValue(median(times.map(({ answerMs }) => answerMs)));
      whole.addValue(median(times.map(({ wholeMs }) => wholeMs)));
    }
  }
  const onePut = { name: "one synced put", value: twoSyncPutsMs(context) / 2 };
  const threePuts = { name: "three synced puts", value: onePut.value * 3 };
  return measured.flatMap(({ ask, answer, whole }) => [
    ask.row({ beside: onePut }),
    answer.row({ beside: onePut }),
    whole.row({ beside: threePuts }),
  ]);
}

/** A runtime that asks operators about every file. */
export async function askingRuntime(directory: string): Promise<Runtime> {
  mkdirSync(join(directory, "workspace"), { recursive: true });
  for (let index = 0; index < FILES; index += 1) writeFileSync(join(directory, "workspace", `file-${index}`), "");
  const configuration = resolveConfiguration({
    configuration: {
      workspace: "workspace",
      capabilities: { fs_stat: true },
      ask: { read: ["workspace"] },
      approvals: { at_once: AT_ONCE, expires_ms: WAIT_MS },
      memory: { path: "state" },
    },
    baseDirectory: directory,
    environment: process.env,
  });
  return await createRuntime({ configuration });
}

interface Times {
  readonly askMs: number;
  /** Until the answer is durable. */
  readonly answerMs: number;
  /** Until the call has been carried out and its outcome is durable. */
  readonly wholeMs: number;
}

/** A session and the executions that it began. */
interface Begun {
  readonly session: Session;
  readonly executions: readonly string[];
}

async function ended({ session, executions }: Begun): Promise<void> {
  for (const execution of executions) {
    const end = session.wait(execution);
    session.cancel(execution);
    await end;
  }
  session.close();
}

export class Asker {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Leaves `count` questions open until disposed of; no session asks more than `perSession` of them. */
  async open(count: number, perSession = PER_SESSION): Promise<AsyncDisposable> {
    const begun: Begun[] = [];
    for (let asked = 0; asked < count; asked += perSession * SESSIONS_AT_ONCE) {
      const sizes = Array.from({ length: SESSIONS_AT_ONCE }, (_, at) =>
        Math.min(perSession, count - asked - at * perSession),
      );
      begun.push(...(await Promise.all(sizes.filter((size) => size > 0).map((size) => this.#begin(size)))));
    }
    return {
      [Symbol.asyncDispose]: async () => {
        for (let at = 0; at < begun.length; at += SESSIONS_AT_ONCE) {
          await Promise.all(begun.slice(at, at + SESSIONS_AT_ONCE).map(ended));
        }
      },
    };
  }

  async #begin(count: number): Promise<Begun> {
    const session = this.#session();
    const executions: string[] = [];
    for (let index = 0; index < count; index += 1) executions.push((await this.#ask(session, index)).execution);
    return { session, executions };
  }

  /** Asks and answers `count` questions, one after the other. */
  async round(count: number): Promise<Times[]> {
    const times: Times[] = [];
    let session = this.#session();
    for (let index = 0; index < count; index += 1) {
      if (index > 0 && index % PER_SESSION === 0) {
        session.close();
        session = this.#session();
      }
      times.push(await this.#askAndAnswer(session, index));
    }
    session.close();
    return times;
  }

  async #askAndAnswer(session: Session, index: number): Promise<Times> {
    const began = performance.now();
    const { execution, id } = await this.#ask(session, index);
    const asked = performance.now();
    const { digest } = await this.#runtime.approvals.show(id);
    const ended = session.wait(execution);
    const shown = performance.now();
    await this.#runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "the bench" });
    const answered = performance.now();
    completed(await ended);
    return { askMs: asked - began, answerMs: answered - shown, wholeMs: performance.now() - shown };
  }

  async #ask(session: Session, index: number): Promise<{ readonly execution: string; readonly id: string }> {
    const reply = await session.propose({ tool_call: { tool: "fs_stat", args: { path: `file-${index % FILES}` } } });
    if (reply.status !== "pending" || reply.approval === undefined) {
      throw new Error(`a call of the bench that has to wait ended as ${reply.status}: ${reply.error?.reason}`);
    }
    return { execution: reply.execution_id, id: reply.approval.id };
  }

  #session(): Session {
    return this.#runtime.openSession({ channel: "library", label: "bench" });
  }
}
