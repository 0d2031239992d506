/** The host is killed while calls are in flight; nothing that was answered is lost, nothing is done twice. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Reply } from "@femtoclaw/protocol";
import type { ExecutionView } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { endProcess, Playground, toolCall } from "./playground.ts";

const ROUNDS = 3;
const IN_FLIGHT = 50;
const ANSWERS_BEFORE = 70;

interface Shown extends ExecutionView {
  readonly records: readonly { readonly type: string }[];
}

test("kill -9 with fifty calls in flight, three times over", async () => {
  await using place = new Playground();
  const answered: { reply: Reply; line: string }[] = [];
  const proposed: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const pid = await place.upDetached();
    const client = await place.agent();
    let next = 0;
    let answers = 0;
    const killed = Promise.withResolvers<void>();
    const caller = async (): Promise<void> => {
      for (;;) {
        const line = `${round}/${next}`;
        next += 1;
        proposed.push(line);
        const call = toolCall("process_exec", { bin: "tee", argv: ["-a", "out/effects.txt"], stdin: `${line}\n` });
        try {
          answered.push({ line, reply: await client.propose(Buffer.from(JSON.stringify(call)), { label: line }) });
        } catch (error) {
          expect(error).toMatchObject({ code: "FEMTO_HOST_NOT_RUNNING" });
          return;
        }
        answers += 1;
        // Some time later, when calls are in every stage.
        if (answers === ANSWERS_BEFORE) setTimeout(() => killed.resolve(endProcess(pid)), 20 + 40 * round);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
    await killed.promise;
    await client.close();
  }

  await place.upDetached();
  const views = await place.executions();
  const byId = new Map(views.map((view) => [view.execution_id, view]));
  expect(answered.length).toBeGreaterThanOrEqual(ANSWERS_BEFORE * ROUNDS);
  for (const { reply, line } of answered) {
    // Every answer is in the journal, word for word.
    expect(byId.get(reply.execution_id)).toMatchObject({ ...reply, label: line });
  }
  const statuses = views.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set(["completed", "interrupted"]));
  const interrupted = views.filter(({ status }) => status === "interrupted");
  expect(interrupted.length).toBeGreaterThan(0);
  for (const { execution_id, error } of interrupted.slice(0, 3)) {
    expect(error).toMatchObject({ error_type: "RuntimeError", code: "FEMTO_EXECUTION_INTERRUPTED" });
    const { value } = await place.json<Shown>(["executions", "show", execution_id]);
    expect(value.records.map(({ type }) => type)).toEqual(["execution.intent", "execution.interrupted"]);
  }

  const effects = readFileSync(join(place.project, "out/effects.txt"), "utf8").trim().split("\n");
  expect(new Set(effects).size, "an effect happened twice").toBe(effects.length);
  // No effect without an intent, and every effect that was reported happened.
  const intended = new Set(views.map(({ label }) => label));
  for (const effect of effects) expect(intended.has(effect), effect).toBe(true);
  for (const { line, reply } of answered) if (reply.status === "completed") expect(effects).toContain(line);
  expect(new Set(proposed).size).toBe(proposed.length);

  const { value: status } = await place.json<{ boots: number; counters: Record<string, number>; running: number }>([
    "status",
  ]);
  expect(status).toMatchObject({ boots: ROUNDS + 1, running: 0, counters: { interrupted: interrupted.length } });
  expect((await place.run(["down"])).code).toBe(0);
  expect((await place.json<{ check: string; verdict: string }[]>(["doctor"])).code).toBe(0);
});
