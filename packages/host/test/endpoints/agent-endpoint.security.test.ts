/** What a client makes the host keep of it before it has proposed anything. */
import { LIMITS } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { expect, test } from "vitest";
import { agentHandlers } from "../../src/endpoints/agent-endpoint.ts";
import { AnswerTurns } from "../../src/endpoints/answer-turns.ts";

test("of the name that a client gives itself no more is kept than a record holds, and no secret", () => {
  const opened: string[] = [];
  // Sees what was kept when the session begins, and begins none.
  const runtime = {
    openSession: ({ label = "" }) => {
      opened.push(label);
      throw new Error("no session begins here");
    },
  } as unknown as Runtime;
  const { introduce, wait } = agentHandlers(runtime).verbs;
  const turns = new AnswerTurns(() => true);
  const label = `codex password=hunter2hunter2 ${"\u4e2d".repeat(500_000)}`;
  expect(introduce?.({ label }, 1, turns)).toBeNull();
  expect(() => wait?.({ execution: "e" }, 2, turns)).toThrow("no session begins here");
  expect(opened).toEqual([expect.stringMatching(/^codex password=\[redacted:assignment\] \u4e2d+…$/)]);
  expect([...(opened[0] ?? "")].length).toBeLessThanOrEqual(LIMITS.labelChars + 1);
});
