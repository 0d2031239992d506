/** How much of what MCP servers say is passed on, to a session that is there and for one that is over. */
import { LIMITS, type SessionId, type UpstreamNotice } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import type { Execution } from "../../src/gate/execution.ts";
import { Relays } from "../../src/relay/relays.ts";

const SESSION = "a session" as SessionId;
const LINE: UpstreamNotice = { kind: "log", server: "s", level: "info", logger: null, text: "x" };

function relaysOf(isOpen: () => boolean): { readonly relays: Relays; told(): number } {
  let told = 0;
  const outputs = {
    tell: () => {
      told += 1;
    },
  };
  const none = () => Promise.reject(new Error("not here"));
  const clock = { monotonicUs: () => 0 };
  return {
    relays: new Relays({ clock, outputs, isOpen, subscribe: none, newId: () => "none", append: none }),
    told: () => told,
  };
}

function flood(relays: Relays): void {
  const relay = relays.of({ id: "an execution", session: SESSION } as unknown as Execution);
  for (let count = 0; count < 2 * LIMITS.noticeBurst; count += 1) relay.notice(LINE);
}

it("limits a session over all its calls", () => {
  const { relays, told } = relaysOf(() => true);
  flood(relays);
  flood(relays);
  expect(told()).toBe(LIMITS.noticeBurst);
});

it("keeps nothing of a session that is over: each of its calls that go on has a limit of its own", () => {
  let isOpen = true;
  const { relays, told } = relaysOf(() => isOpen);
  flood(relays);
  isOpen = false;
  relays.forget(SESSION);
  flood(relays);
  flood(relays);
  expect(told()).toBe(3 * LIMITS.noticeBurst);
});
