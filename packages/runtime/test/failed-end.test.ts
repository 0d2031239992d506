/** A runtime one of whose parts fails as it ends, after a start that failed or at a stop. */
import { expect, it, onTestFinished, vi } from "vitest";
import { CapabilityPackages } from "../src/capability-packages/capability-packages.ts";
import { Terminals } from "../src/terminals/terminals.ts";
import { type Home, temporaryHome } from "./runtime-fixture.ts";

/** Terminals cannot be ended. */
function withStuckTerminals(): void {
  const spy = vi.spyOn(Terminals.prototype, "stop").mockRejectedValue(new Error("a terminal does not end"));
  onTestFinished(() => spy.mockRestore());
}

/** The next runtime starts only if the last one gave back its journal. */
async function startsAgain(home: Home): Promise<void> {
  vi.restoreAllMocks();
  await (await home.start()).close();
}

it("reports why the start failed, not what failed afterwards, and gives the journal back", async () => {
  const home = temporaryHome();
  withStuckTerminals();
  vi.spyOn(CapabilityPackages.prototype, "start").mockRejectedValueOnce(new Error("the packages are gone"));
  const events: unknown[] = [];
  await expect(home.start({ log: ({ event }) => events.push(event) })).rejects.toThrow("the packages are gone");
  expect(events).toContain("start.unreleased");
  await startsAgain(home);
});

it("gives the journal back although a terminal does not end", async () => {
  const home = temporaryHome();
  const runtime = await home.start();
  withStuckTerminals();
  await expect(runtime.close()).rejects.toThrow("a terminal does not end");
  expect(runtime.status().phase).toBe("terminated");
  await startsAgain(home);
});
