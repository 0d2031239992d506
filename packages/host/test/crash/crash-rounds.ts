/**
 * Real hosts, killed at random moments under load. A client remembers what it was told, effects leave a
 * line each in a file, and every next start has to answer for both.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { AgentClient } from "@femtoclaw/client";
import { openStateDirectory, verifyDirectory } from "@femtoclaw/journal";
import { LogMemory } from "@femtoclaw/journal/known-log";
import { FemtoError, type Reply } from "@femtoclaw/protocol";
import { type Host, Playground, toolCall } from "../playground.ts";

/** Lives on one journal; another begins then, so that what is checked after each stays small. */
const LIVES = 20;
const CALLERS = 24;
/** LIMIT: answers before the kill, so that all executions of a journal fit into one list. */
const ANSWERS_MAX = 200;
const LISTED_MAX = 10_000;
const EFFECTS = "out/effects.txt";

export interface CrashReport {
  readonly rounds: number;
  readonly killedInStart: number;
  readonly proposed: number;
  /** Answers that named a record; each was found there after every later start. */
  readonly acknowledged: number;
  readonly effects: number;
  readonly interrupted: number;
}

export interface CrashOptions {
  readonly rounds: number;
  /** Hears of the rounds that are done. */
  readonly onProgress?: (rounds: number) => void;
}

/** Rejects with the first thing that is not as it must be; what it was found in is kept and named. */
export async function crashRounds({ rounds, onProgress }: CrashOptions): Promise<CrashReport> {
  const sum = { killedInStart: 0, proposed: 0, acknowledged: 0, effects: 0, interrupted: 0 };
  for (let done = 0; done < rounds; done += LIVES) {
    const place = new Playground();
    const lineage = new Lineage(place);
    try {
      for (let life = 0; life < Math.min(LIVES, rounds - done); life += 1) {
        await lineage.live();
        onProgress?.(done + life + 1);
      }
      await lineage.end();
    } catch (cause) {
      throw new Error(`a crash broke a promise; project and state lie in ${place.root}`, { cause });
    }
    const report = lineage.report;
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += report[name];
    await place[Symbol.asyncDispose]();
  }
  return { rounds, ...sum };
}

/** Hosts that follow each other on one journal. */
class Lineage {
  readonly #place: Playground;
  readonly #told: { readonly line: string; readonly reply: Reply }[] = [];
  #proposed = 0;
  #killedInStart = 0;
  #interrupted = 0;
  #checkpoint = "";

  constructor(place: Playground) {
    this.#place = place;
  }

  get report(): Omit<CrashReport, "rounds"> {
    return {
      killedInStart: this.#killedInStart,
      proposed: this.#proposed,
      acknowledged: this.#told.length,
      effects: this.#effects().length,
      interrupted: this.#interrupted,
    };
  }

  /** A start, which answers for all lives before, then load, then the kill. */
  async live(): Promise<void> {
    if (Math.random() < 0.1) await this.#killInStart();
    const host = await this.#place.up();
    await this.#check();
    await this.#load(host);
    await this.#verify();
  }

  /** A last start, and an end in peace. */
  async end(): Promise<void> {
    const host = await this.#place.up();
    await this.#check();
    host.kill("SIGTERM");
    assert.equal(await host.ended, 0);
    await this.#verify();
  }

  async #killInStart(): Promise<void> {
    this.#killedInStart += 1;
    const child = this.#place.spawn(["--json", "up"]);
    const closed = once(child, "close");
    child.stdout.resume();
    child.stderr.resume();
    await Promise.race([closed, setTimeout(200 + Math.random() * 800)]);
    child.kill("SIGKILL");
    await closed;
  }

  async #load(host: Host): Promise<void> {
    const client = await this.#place.agent();
    const enough = Promise.withResolvers<void>();
    let answersLeft = Math.floor(Math.random() * ANSWERS_MAX);
    if (answersLeft === 0) enough.resolve();
    const caller = async (): Promise<void> => {
      while (await this.#propose(client)) {
        answersLeft -= 1;
        if (answersLeft === 0) enough.resolve();
      }
    };
    const callers = Promise.all(Array.from({ length: CALLERS }, caller));
    await enough.promise;
    // A little later calls are in other stages.
    await setTimeout(Math.random() * 20);
    host.kill("SIGKILL");
    await Promise.all([callers, host.ended]);
    await client.close();
  }

  /** False when the host is gone. */
  async #propose(client: AgentClient): Promise<boolean> {
    this.#proposed += 1;
    const line = `line-${this.#proposed}`;
    try {
      const reply = await client.propose(Buffer.from(JSON.stringify(callFor(this.#proposed, line))), { label: line });
      if (reply.record !== null) this.#told.push({ line, reply });
      return true;
    } catch (error) {
      if (error instanceof FemtoError && error.code === "FEMTO_HOST_NOT_RUNNING") return false;
      throw error;
    }
  }

  async #check(): Promise<void> {
    await using operator = await this.#place.operator();
    const views = await operator.executions({ limit: LISTED_MAX });
    const byId = new Map(views.map((view) => [view.execution_id, view]));
    const effects = this.#effects();
    const happened = new Set(effects);
    assert.equal(happened.size, effects.length, "an effect happened twice");
    for (const { line, reply } of this.#told) {
      const { status, decision, record } = byId.get(reply.execution_id) ?? {};
      assert.deepEqual(
        { status, decision, record },
        { status: reply.status, decision: reply.decision, record: reply.record },
        line,
      );
      assert.equal(happened.has(line), reply.status === "completed", `the effect of ${line}`);
    }
    // What happened was permitted and recorded before, and whatever else that was is known to have been cut off.
    const byLine = new Map(views.map((view) => [view.label, view]));
    for (const line of effects) assert.match(byLine.get(line)?.status ?? "unrecorded", /^(?:completed|interrupted)$/);
    const interrupted = views.filter(({ status }) => status === "interrupted");
    this.#interrupted = interrupted.length;
    for (const { execution_id } of interrupted.slice(0, 3)) {
      const { records } = await operator.execution(execution_id);
      assert.deepEqual(
        records.map(({ type }) => type),
        ["execution.intent", "execution.interrupted"],
      );
    }
    // The counters were folded from a snapshot and the records after it; the replay folds all records, and compares snapshots.
    const status = (await operator.status()) as { readonly running: number; readonly counters: Record<string, number> };
    assert.deepEqual([status.running, status.counters["interrupted"]], [0, interrupted.length]);
    const { actors } = await operator.replay({});
    assert.deepEqual(actors["executions"]?.state["counters"], status.counters);
    this.#checkpoint = await operator.checkpoint();
  }

  /** The log of the dead host, as an auditor finds it who has kept the key and the last checkpoint. */
  async #verify(): Promise<void> {
    const { state, environment } = this.#place;
    const { journal } = await openStateDirectory(state, { create: false });
    const warn = (reason: string): never => assert.fail(reason);
    const remembered = await new LogMemory({ environment, place: state, warn }).remembered();
    assert(remembered !== null, "the host remembers its own log");
    const pinned = remembered.firstKey;
    const { verdict, fault } = await verifyDirectory(journal, { pinned, checkpoint: this.#checkpoint });
    assert.equal(verdict, "verified", JSON.stringify(fault));
  }

  #effects(): string[] {
    const path = join(this.#place.project, EFFECTS);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
  }
}

/** Mostly writes by the host, now and then a sandboxed program, and something that is refused. */
function callFor(number: number, line: string): Record<string, unknown> {
  if (number % 11 === 5) return toolCall("nobody", {});
  if (number % 7 === 3) return toolCall("process_exec", { bin: "tee", argv: ["-a", EFFECTS], stdin: `${line}\n` });
  return toolCall("fs_write", { path: EFFECTS, content: `${line}\n`, mode: "append" });
}
