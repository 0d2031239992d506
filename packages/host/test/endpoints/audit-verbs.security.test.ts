/** Requests to prune the log that do not say clearly how much of it. */
import type { PruneRequest, Runtime } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { AnswerTurns } from "../../src/endpoints/answer-turns.ts";
import { auditVerbs } from "../../src/endpoints/audit-verbs.ts";

/** Asks for plans of prunings, and returns what was planned. */
async function plan(...boundaries: readonly object[]): Promise<PruneRequest[]> {
  const planned: PruneRequest[] = [];
  const retention = { planPruning: async (request: PruneRequest) => void planned.push(request) };
  const { "audit.prune": prune } = auditVerbs({ retention } as unknown as Runtime, () => "uid:0");
  for (const boundary of boundaries) await prune?.({ sure: false, ...boundary }, 1, new AnswerTurns(() => true));
  return planned;
}

test("what is asked is what is planned, by number or by age", async () => {
  const planned = await plan({ before: 512 }, { older_than_ms: 60_000 });
  expect(planned).toEqual([{ before: 512 }, { before: { olderThanMs: 60_000 } }]);
});

test.each([
  { before: null, older_than_ms: 86_400_000 },
  { before: "all", older_than_ms: 1 },
  { before: 0, older_than_ms: 1 },
  { before: 1, older_than_ms: null },
  { before: 1, older_than_ms: 1 },
  { before: 1.5 },
  {},
])("no age is taken for a number of records, nor anything else for either: %j", async (boundary) => {
  await expect(plan(boundary)).rejects.toMatchObject({ code: "FEMTO_SOCKET_REQUEST" });
});
