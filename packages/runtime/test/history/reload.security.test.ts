/** A policy that changes while sessions stand takes neither their past nor the tables of their principal from them. */
import type { Configuration } from "@femtoclaw/protocol";
import { describe, expect, it, onTestFinished } from "vitest";
import { codeOf, GUARDED, guardedHome, READ_NOTES, READ_SECRET, RUN } from "./history-fixture.ts";

describe("a reload", () => {
  it("puts budgets and what is forbidden after a secret in force for sessions that stand", async () => {
    const home = guardedHome();
    const { after_secret: _, ...open } = GUARDED;
    const runtime = await home.start({ configuration: open });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    const session = runtime.openSession({ channel: "agent" });
    for (const message of [READ_SECRET, RUN]) expect(await codeOf(session, message)).toBe("done");
    await runtime.reload({ configuration: home.configuration({ ...GUARDED, budgets: { calls: 3 } }) }, "uid:0");
    expect(await codeOf(session, RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
    expect(await codeOf(session, READ_NOTES)).toBe("done");
    expect(await codeOf(session, READ_NOTES)).toBe("FEMTO_BUDGET_EXCEEDED");
  });

  it("that would leave a principal without its tables is refused", async () => {
    const home = guardedHome();
    const bound: Configuration = { ...GUARDED, agent: { reviewer: { deny: { read: ["workspace/notes"] } } } };
    const runtime = await home.start({ configuration: bound });
    onTestFinished(() => runtime.close({ drainMs: 0 }));
    const session = runtime.openSession({ channel: "agent", principal: "reviewer" });
    expect(await codeOf(session, READ_NOTES)).toBe("FEMTO_POLICY_FORBIDDEN");
    for (const agent of [undefined, {}, { other: {} }, { reviewer: {}, other: {} }]) {
      const configuration = home.configuration(agent === undefined ? GUARDED : { ...GUARDED, agent });
      await expect(runtime.reload({ configuration }, "uid:0")).rejects.toMatchObject({ code: "FEMTO_RELOAD_RESTART" });
    }
    expect(await codeOf(session, READ_NOTES)).toBe("FEMTO_POLICY_FORBIDDEN");
    await runtime.reload({ configuration: home.configuration({ ...GUARDED, agent: { reviewer: {} } }) }, "uid:0");
    expect(await codeOf(session, READ_NOTES)).toBe("done");
  });
});
