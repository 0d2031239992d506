/** `executions list --follow` ends where its host does, also while it looks at what the host did last. */
import type { OperatorClient } from "@femtoclaw/client";
import { type ErrorCode, FemtoError } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { CommandContext } from "../src/commands/command-context.ts";
import { followExecutions } from "../src/commands/history/follow-executions.ts";

const OUTCOME = { seq: 7, type: "execution.outcome", execution: "one", session: "s", body: {} };

/** What the command ends with where the host tells one outcome, and answers with this error when it is asked about it. */
async function endedBy(code: ErrorCode): Promise<number> {
  const operator = {
    closed: Promise.withResolvers<void>().promise,
    status: async () => ({ records: 7 }),
    executions: async () => [],
    records: async () => ({ size: 8, records: [OUTCOME] }),
    execution: async () => Promise.reject(new FemtoError(code, "the host says so")),
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as OperatorClient;
  const context = new CommandContext({ quiet: true, json: true });
  return await followExecutions(Object.assign(context, { operator: async () => operator }), {});
}

test.each(["FEMTO_HOST_NOT_RUNNING", "FEMTO_DRAINING", "FEMTO_JOURNAL_CLOSED"] as const)(
  "%s is an end",
  async (code) => {
    expect(await endedBy(code)).toBe(0);
  },
);

test("a journal that cannot be read is a fault", async () => {
  await expect(endedBy("FEMTO_JOURNAL_CORRUPT")).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
});
