/** A start that fails once the gate is open, while a call that waited before goes on already. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StoreReader } from "@femtoclaw/journal";
import type { CapabilityManifest, TypedRecord } from "@femtoclaw/protocol";
import { expect, it, onTestFinished, vi } from "vitest";
import { call, capability, temporaryHome } from "../runtime-fixture.ts";

const READS_PATH: Partial<CapabilityManifest> = {
  input: { type: "object", additionalProperties: false, required: ["path"], properties: { path: { type: "string" } } },
  arguments: [{ pointer: "/path", kind: "path", access: "read" }],
  effect: "read",
};
/** More questions than a start reads at once, in sessions that each ask as many as they may. */
const SESSIONS = 9;
const EACH = 8;

it("ends what goes on before it throws", async () => {
  const home = temporaryHome();
  mkdirSync(join(home.root, "private"));
  const configuration = { ask: { read: ["private"] } };
  const first = await home.start({
    configuration,
    capabilities: [capability("slow", () => ({}), READS_PATH)],
    permit: [],
  });
  for (let count = 0; count < SESSIONS * EACH; ) {
    const session = first.openSession({ channel: "agent" });
    for (let each = 0; each < EACH; each += 1, count += 1) {
      const path = join(home.root, "private", String(count));
      writeFileSync(path, "");
      expect((await session.propose(call("slow", { path }))).status).toBe("pending");
    }
  }
  const questions = await first.approvals.list();
  const [oldest] = questions;
  const newest = [...first.projection.questions.values()].at(-1)?.seq;
  await first.approvals.answer({
    id: oldest?.id ?? "",
    digest: oldest?.digest ?? "",
    answer: "granted",
    scope: "once",
    by: "uid:0",
  });
  const crash = home.losePower();
  await first.close({ drainMs: 0 });
  crash();

  const began = Promise.withResolvers<void>();
  let hasEnded = false;
  const slow = async ({ signal }: { readonly signal: AbortSignal }) => {
    began.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    hasEnded = true;
    return {};
  };
  const { withValues } = StoreReader.prototype;
  const spy = vi.spyOn(StoreReader.prototype, "withValues").mockImplementation(async function (
    this: StoreReader,
    record: TypedRecord,
  ) {
    if (record.seq !== newest) return await withValues.call(this, record);
    await began.promise;
    throw new Error("this question cannot be read");
  });
  onTestFinished(() => spy.mockRestore());
  const start = home.start({ configuration, capabilities: [capability("slow", slow, READS_PATH)], permit: [] });
  await expect(start).rejects.toThrow("this question cannot be read");
  expect(hasEnded).toBe(true);
});
