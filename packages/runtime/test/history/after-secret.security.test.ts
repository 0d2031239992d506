/** A policy that forbids a program once a secret was read, against everybody who would rather it did not. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { compilePolicy, createPolicyEngine, NO_HISTORY } from "@femtoclaw/policy";
import type { Configuration } from "@femtoclaw/protocol";
import { type Runtime, recompute, replay } from "@femtoclaw/runtime";
import { copyState } from "@femtoclaw/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, ofType, recordsOf } from "../runtime-fixture.ts";
import { codeOf, GUARDED, guardedHome, READ_NOTES, READ_SECRET, RUN } from "./history-fixture.ts";

const open = (runtime: Runtime) => runtime.openSession({ channel: "agent" });

async function start(home = guardedHome(), options: Parameters<typeof home.start>[0] = {}): Promise<Runtime> {
  const runtime = await home.start({ configuration: GUARDED, ...options });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return runtime;
}

describe("once a secret was read", () => {
  it("the program is forbidden, by the rule that says so, in this session and in every later one", async () => {
    const runtime = await start();
    const session = open(runtime);
    for (const harmless of [RUN, READ_NOTES, RUN]) expect(await codeOf(session, harmless)).toBe("done");
    expect(await codeOf(session, READ_SECRET)).toBe("done");
    const denied = await session.propose(RUN);
    expect(denied).toMatchObject({
      decision: "DENIED_POLICY_VIOLATION",
      error: { code: "FEMTO_POLICY_FORBIDDEN" },
      policy: { rules: ["toml/after_secret.run.echo/1"] },
    });
    session.close();
    for (const channel of ["agent", "library", "operator"] as const) {
      const later = runtime.openSession({ channel, label: "somebody else" });
      expect(await codeOf(later, RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
      expect(await codeOf(later, READ_NOTES)).toBe("done");
    }
  });

  it.each<[string, ReturnType<typeof call>]>([
    ["reads it behind a linked folder", call("fs_read", { path: "linked/token" })],
    ["reads the folder's names", call("fs_list", { path: "secrets" })],
    ["reads it by another spelling", call("fs_read", { path: "./secrets//token" })],
    ["reads a part of it", call("fs_read", { path: "secrets/token", offset: 3, length: 1 })],
    ["writes over it", call("fs_write", { path: "secrets/token", content: "x", mode: "overwrite" })],
  ])("counts who %s", async (_how, message) => {
    const home = guardedHome();
    symlinkSync("secrets", join(home.root, "workspace/linked"));
    const runtime = await start(home);
    const session = open(runtime);
    expect(await codeOf(session, RUN)).toBe("done");
    await session.propose(message);
    expect(await codeOf(session, RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
  });

  it("no program sees the secret, so that none can read it unnoticed", async () => {
    const home = guardedHome();
    const configuration: Configuration = {
      ...GUARDED,
      allow: { ...GUARDED.allow, run: { cat: ["*"] } },
      after_secret: {},
    };
    const runtime = await start(home, { configuration });
    const session = open(runtime);
    const cat = call("process_exec", { bin: "cat", argv: ["secrets/token", "notes"] });
    expect(await session.propose(cat)).toMatchObject({ result: { stdout: "notes", exit_code: 1 } });
    expect(await session.propose(cat)).toMatchObject({ status: "completed" });
    const [last] = ofType(await recordsOf(runtime.reader), "execution.intent").slice(-1);
    expect(last?.body.facts?.history).toMatchObject({ calls: 1, has_read_secret: false });
  });

  it("a call that was refused, or that only looked, has read nothing", async () => {
    const configuration = { ...GUARDED, deny: { read: ["workspace/secrets"] } };
    const runtime = await start(guardedHome(), { configuration });
    const session = open(runtime);
    for (const message of [READ_SECRET, call("fs_list", { path: "." }), call("fs_read", { path: "secrets/none" })]) {
      await session.propose(message);
    }
    expect(await codeOf(session, RUN)).toBe("done");
  });
});

describe("the mark", () => {
  it("holds across a stop, a loss of power, a snapshot and a fold from the first record", async () => {
    const home = guardedHome();
    const first = await home.start({ configuration: GUARDED });
    expect(await codeOf(open(first), READ_SECRET)).toBe("done");
    const cut = home.losePower();
    await first.close();
    cut();
    const second = await home.start({ configuration: GUARDED, snapshotEveryRecords: 5 });
    const session = open(second);
    expect(await codeOf(session, RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
    for (let n = 0; n < 5; n += 1) expect(await codeOf(session, READ_NOTES)).toBe("done");
    await second.close();
    const third = await start(home);
    expect(await codeOf(open(third), RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
    const { projection, snapshotsEqual } = await replay(third.reader);
    expect(snapshotsEqual).toBeGreaterThan(2);
    expect(projection.sessions.state).toEqual(third.projection.sessions.state);
    expect(await recompute(third.reader)).toMatchObject({ verdict: "recomputed" });
  });

  it("goes over into the log of a fork and of a copy", async () => {
    const home = guardedHome();
    const first = await home.start({ configuration: GUARDED });
    expect(await codeOf(open(first), READ_SECRET)).toBe("done");
    await first.fork(first.reader.size - 1, join(home.root, "forked"));
    await first.close();
    copyState(home.state, join(home.root, "copied"));
    for (const path of ["forked", "copied"]) {
      const runtime = await start(home, { configuration: { ...GUARDED, memory: { path } } });
      expect(runtime.status().parent).not.toBeNull();
      expect(await codeOf(open(runtime), RUN), path).toBe("FEMTO_POLICY_FORBIDDEN");
      expect(await recompute(runtime.reader)).toMatchObject({ verdict: "recomputed" });
    }
  });

  it("is what anyone decides on again, with the policy of then and with another", async () => {
    const home = guardedHome();
    const runtime = await start(home);
    const session = open(runtime);
    for (const message of [RUN, READ_SECRET, RUN]) await session.propose(message);
    const facts = (await recordsOf(runtime.reader)).flatMap((record) => {
      const isCall = record.type === "execution.intent" || record.type === "execution.refused";
      return isCall && record.body.tool === "process_exec" ? [record.body.facts] : [];
    });
    const engine = await createPolicyEngine();
    const decisions = (): boolean[] =>
      facts.map((taken) => {
        const { questions, history = NO_HISTORY } = taken ?? { questions: [] };
        return engine.decideAll({ principal: "default", capability: "process_exec", questions, history }).allowed;
      });
    engine.activate(runtime.policy);
    expect(decisions()).toEqual([true, false]);
    const { after: _after, ...authority } = home.configuration(GUARDED).authority;
    const manifests = builtinCapabilities.map(({ manifest }) => manifest);
    engine.activate(compilePolicy({ authority, manifests }));
    expect(decisions()).toEqual([true, true]);
  });
});

describe("an agent with tables of its own", () => {
  it("bears its own marks, and has a session only by a name that the configuration knows", async () => {
    const none = {};
    const runtime = await start(guardedHome(), {
      configuration: { ...GUARDED, agent: { reader: none, runner: none } },
    });
    const [reader, runner] = ["reader", "runner"].map((principal) =>
      runtime.openSession({ channel: "agent", principal }),
    );
    if (reader === undefined || runner === undefined) throw new Error("both are known");
    expect(await codeOf(reader, READ_SECRET)).toBe("done");
    expect(await codeOf(reader, RUN)).toBe("FEMTO_POLICY_FORBIDDEN");
    expect(await codeOf(runner, RUN)).toBe("done");
    for (const principal of ["nobody", "__proto__", "constructor", ""]) {
      expect(() => runtime.openSession({ channel: "agent", principal })).toThrow("has no [agent.");
    }
  });
});
