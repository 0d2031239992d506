/** A connection of a program, of which something changes while the record of its decision is being written. */
import type { HostQuestion } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import { Connections } from "../../src/gate/effects/connections.ts";
import type { HopParts } from "../../src/gate/effects/hops.ts";
import type { Execution } from "../../src/gate/execution.ts";

/** A program of a running call asks for a host, and `meanwhile` happens before the record is durable. */
async function connected(
  meanwhile: (now: { connections: Connections; abort: AbortController; forbid(): void }) => void,
  halted?: { seq: number; code: string; reason: string },
) {
  const abort = new AbortController();
  const execution = { call: { tool: "process_exec", args: {} }, session: "s", intent: 1, abort };
  const found = { facts: { questions: [] }, revision: "0".repeat(64), rules: ["rule"] };
  let allowed = true;
  const recorded: unknown[] = [];
  const decisions = {
    examineConnection: async () => ({ ok: true, questions: [{ kind: "host" } as HostQuestion], bound: {} }),
    decideConnection: () => ({ ...found, allowed, ...(allowed ? {} : { reason: "a mark forbids it" }) }),
  };
  const parts = {
    decisions,
    registered: () => ({ enabled: true }),
    histories: { of: () => ({ halted }) },
    append: async (_: unknown, { body }: { body: { allowed: boolean } }) => {
      recorded.push(body.allowed);
      if (recorded.length > 1) return;
      const forbid = (): void => {
        allowed = false;
      };
      meanwhile({ connections, abort, forbid });
    },
  } as unknown as HopParts;
  const connections: Connections = new Connections(execution as unknown as Execution, parts);
  return { answer: await connections.connect("example.org:443"), recorded };
}

it("is opened once the record is durable", async () => {
  const { answer, recorded } = await connected(() => undefined);
  expect(answer).toMatchObject({ ok: true });
  expect(recorded).toEqual([true]);
});

it("is not opened if its call was stopped", async () => {
  const { answer } = await connected(({ abort }) => abort.abort());
  expect(answer).toMatchObject({ ok: false, reason: "the call was stopped meanwhile" });
});

it("is not opened if a review has withdrawn the permission, which is recorded", async () => {
  const { answer, recorded } = await connected(({ connections, forbid }) => {
    forbid();
    connections.review();
  });
  expect(answer).toMatchObject({ ok: false, reason: "a mark forbids it", rules: ["rule"] });
  expect(recorded).toEqual([true, false]);
});

it("is not even examined if its session was halted for something else, which stops no running call", async () => {
  const { answer, recorded } = await connected(() => undefined, {
    seq: 7,
    code: "FEMTO_X",
    reason: "its calls is used up",
  });
  expect(answer).toMatchObject({ ok: false, reason: expect.stringContaining("halted in record 7") });
  expect(recorded).toEqual([false]);
});
