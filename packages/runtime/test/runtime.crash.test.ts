/** Kills a runtime without warning while fifty callers propose, and demands all that it had answered for. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { MARGIN_BYTES, RESERVE_BYTES, verifyDirectory } from "@femtoclaw/journal";
import type { TypedRecord } from "@femtoclaw/protocol";
import { replay } from "@femtoclaw/runtime";
import { HAS_SMALL_DISK, SmallDisk, testedProgram } from "@femtoclaw/testing";
import { describe, expect, it, vi } from "vitest";
import { type Home, ofType, recordsOf, temporaryHome } from "./runtime-fixture.ts";

const PROPOSER = testedProgram(join(import.meta.dirname, "propose-until-killed.ts"));

interface Answer {
  readonly id: string;
  readonly execution: string;
  readonly status: string;
  readonly seq: number | null;
  readonly code: string | null;
}

function answersOf(output: string): Answer[] {
  // The last line may have been cut off with the process.
  return output
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer);
}

async function killAfter(child: ChildProcess, answers: number, delayMs: number): Promise<Answer[]> {
  let output = "";
  let isDoomed = false;
  child.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (isDoomed || output.split("\n").length <= answers) return;
    isDoomed = true;
    setTimeout(() => child.kill("SIGKILL"), delayMs);
  });
  await once(child, "close");
  return answersOf(output);
}

/** Fills the disk after some answers, and kills when calls have been refused for it for a while. */
async function killWhenFull(child: ChildProcess, disk: SmallDisk, answers: number): Promise<Answer[]> {
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const before = output.length;
    output += chunk.toString();
    if (before < answers * 100 && output.length >= answers * 100) disk.fill();
    if (output.split("FEMTO_DISK_FULL").length > 500) child.kill("SIGKILL");
  });
  await once(child, "close");
  return answersOf(output);
}

function effectsOf(home: Home): string[] {
  const file = join(home.root, "effects");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
}

/** Everything that must be true of a journal and the effects beside it, whenever the runtime ended. */
function expectHonest(records: readonly TypedRecord[], effects: readonly string[], answers: readonly Answer[]): void {
  for (const { id, execution, status, seq, code } of answers.filter((answer) => answer.seq !== null)) {
    const record = records[seq ?? -1];
    expect(record?.execution, id).toBe(execution);
    // An intent may have become durable just when the disk was full; its outcome says that nothing happened.
    const types = status === "completed" ? ["execution.outcome"] : ["execution.refused"];
    if (code === "FEMTO_DISK_FULL") types.push("execution.outcome");
    expect(types, id).toContain(record?.type);
  }
  const intents = ofType(records, "execution.intent");
  const ends = new Map<string | null, TypedRecord[]>();
  for (const record of [...ofType(records, "execution.outcome"), ...ofType(records, "execution.interrupted")]) {
    ends.set(record.execution, [...(ends.get(record.execution) ?? []), record]);
  }
  // Each intent has one end, an outcome or an interruption, and that end names it.
  for (const { execution, seq, boot } of intents) {
    const [end, ...others] = ends.get(execution) ?? [];
    expect([execution, end?.body, others]).toMatchObject([execution, { intent: seq }, []]);
    expect(end?.boot === boot).toBe(end?.type === "execution.outcome");
  }
  expect(ends.size).toBe(intents.length);
  // Nothing happened twice, and nothing without a durable intent.
  expect(new Set(effects).size).toBe(effects.length);
  const intended = new Set(intents.map(({ body }) => body.args?.["id"]));
  for (const id of effects) expect(intended.has(id), id).toBe(true);
  const happened = new Set(effects);
  for (const { body, execution } of ofType(records, "execution.outcome").filter(
    ({ body }) => body.event === "succeeded",
  )) {
    expect(happened.has(String(body.result?.["id"])), String(execution)).toBe(true);
  }
}

describe("a runtime that is killed", () => {
  it("keeps its answers, repeats no effect, and calls interrupted what it cannot know", async () => {
    const home = temporaryHome();
    const answers: Answer[] = [];
    let interruptions = 0;
    for (let round = 0; round < 6; round += 1) {
      const snapshotEvery = round % 2 === 0 ? "7" : "1000";
      const child = spawn(process.execPath, [PROPOSER, home.root, `life${round}`, snapshotEvery], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      answers.push(...(await killAfter(child, 1 + ((round * 197) % 600), Math.random() * 20)));
      const runtime = await home.start();
      const records = await recordsOf(runtime.reader);
      expect(ofType(records, "boot.started").at(-1)?.body.previous_end).toBe("crash");
      expectHonest(records, effectsOf(home), answers);
      const { snapshotsEqual } = await replay(runtime.reader);
      expect(snapshotsEqual).toBe((await runtime.reader.snapshots()).length);
      expect(runtime.projection.open.size).toBe(0);
      interruptions = ofType(records, "execution.interrupted").length;
      expect(runtime.projection.counters.interrupted).toBe(interruptions);
      await runtime.close();
    }
    expect(answers.length).toBeGreaterThan(1_000);
    expect(interruptions).toBeGreaterThan(5);
  });

  it("while it starts again and again loses nothing either", async () => {
    const home = temporaryHome();
    const answers: Answer[] = [];
    for (let round = 0; round < 8; round += 1) {
      const child = spawn(process.execPath, [PROPOSER, home.root, `start${round}`, "5"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      // Late enough that the journal is often open, early enough that the start is often not over.
      const timer = setTimeout(() => child.kill("SIGKILL"), 250 + round * 90);
      answers.push(...answersOf(await text(child.stdout)));
      clearTimeout(timer);
    }
    // However slow the machine is, the last one lives to give answers.
    const last = spawn(process.execPath, [PROPOSER, home.root, "last", "5"], { stdio: ["ignore", "pipe", "inherit"] });
    answers.push(...(await killAfter(last, 1, 0)));
    expect(answers).not.toEqual([]);
    const runtime = await home.start();
    expectHonest(await recordsOf(runtime.reader), effectsOf(home), answers);
    await runtime.close();
  });
});

describe.runIf(HAS_SMALL_DISK)("a runtime that is killed on a full disk", () => {
  it("keeps its answers, starts again while the disk is full, and goes on when it has room", async () => {
    const home = temporaryHome();
    using disk = new SmallDisk(RESERVE_BYTES + 4 * MARGIN_BYTES);
    const state = join(disk.path, "state");
    const answers: Answer[] = [];
    for (let round = 0; round < 3; round += 1) {
      const child = spawn(process.execPath, [PROPOSER, home.root, `full${round}`, "50", state], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      answers.push(...(await killWhenFull(child, disk, 300 + 500 * round)));
      const runtime = await home.start({ configuration: { memory: { path: state } } });
      expect(runtime.status()).toMatchObject({ phase: "idle", memory: { state: "full" } });
      expectHonest(await recordsOf(runtime.reader), effectsOf(home), answers);
      disk.clear();
      await vi.waitFor(() => expect(runtime.status().memory.full).toBeNull(), { timeout: 120_000 });
      await replay(runtime.reader);
      await runtime.close();
    }
    expect(await verifyDirectory(join(state, "journal"))).toMatchObject({ fault: null });
  });
});

describe("a runtime whose disk takes no more bytes", () => {
  it("stops taking calls, and keeps what it had answered for", async () => {
    const home = temporaryHome();
    // A first life leaves the reserve behind, which is larger than the limit allows; it is taken behind the start.
    const first = await home.start();
    await vi.waitFor(() => expect(first.status().memory.reserve_bytes).toBeGreaterThan(0), { timeout: 120_000 });
    await first.close();
    // The limit on the size of files makes LevelDB's own write fail in the middle of a group.
    const limited = ["-c", 'ulimit -f 1500; exec "$0" "$@"', process.execPath, PROPOSER, home.root, "full", "100000"];
    const child = spawn("sh", limited, { stdio: ["ignore", "pipe", "inherit"] });
    const lines = answersOf(await text(child.stdout));
    expect(lines.pop()).toEqual({ failed: "FEMTO_JOURNAL_WRITE_FAILED", phase: "error", late: "FEMTO_DRAINING" });
    const failed = lines.filter(({ seq }) => seq === null);
    expect(failed.length).toBeGreaterThan(0);
    for (const { status, code } of failed) {
      expect(status).toBe("error");
      expect(["FEMTO_JOURNAL_WRITE_FAILED", "FEMTO_JOURNAL_CLOSED", "FEMTO_DRAINING"]).toContain(code);
    }
    const runtime = await home.start();
    expectHonest(await recordsOf(runtime.reader), effectsOf(home), lines);
    await runtime.close();
    expect(lines.length).toBeGreaterThan(100);
  });
});
