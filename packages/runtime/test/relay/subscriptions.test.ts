/** A subscription that its server ends at the moment at which it begins. */
import { systemClock } from "@femtoclaw/journal";
import type { SessionId } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import type { Execution } from "../../src/gate/execution.ts";
import { type SubscriptionListener, Subscriptions } from "../../src/relay/subscriptions.ts";

const SESSION = "a session" as SessionId;
const OPENING = { id: "an execution", session: SESSION, actor: null, call: { tool: "t" } } as unknown as Execution;

it("is not open, and its session hears why", async () => {
  const recorded: unknown[] = [];
  const subscriptions = new Subscriptions({
    clock: systemClock(),
    changes: { told: () => undefined },
    listen: async (_request, listener: SubscriptionListener) => {
      listener.ended("the server has enough");
      return () => undefined;
    },
    append: async ({ body }) => recorded.push(body),
    isOpen: () => true,
    halted: () => null,
    forbidden: () => null,
    isEnabled: () => true,
    isOffered: () => true,
  });
  const request = { server: "s", uri: "u" } as Parameters<Subscriptions["open"]>[1];
  await expect(subscriptions.open(OPENING, request)).rejects.toMatchObject({
    code: "FEMTO_CAPABILITY_CANCELLED",
    message: expect.stringContaining("the server has enough"),
  });
  expect(recorded).toMatchObject([{ why: "server", reason: "the server has enough" }]);
  expect(subscriptions.close(SESSION, "s", "u")).toBe(false);
  subscriptions.stop("the test is over");
});
