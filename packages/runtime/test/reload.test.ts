/** Another policy takes the place of the one in force, while calls run, wait and come. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Journal } from "@femtoclaw/journal";
import type { PolicyEngine } from "@femtoclaw/policy";
import { type Configuration, FemtoError } from "@femtoclaw/protocol";
import { type Runtime, type Surroundings, systemSurroundings } from "@femtoclaw/runtime";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  Barrier,
  call,
  capability,
  type Home,
  ofType,
  recordsOf,
  type StartOptions,
  temporaryHome,
} from "./runtime-fixture.ts";

const BY = "uid:0";
const OPEN: Configuration = { allow: { read: ["data"] }, capabilities: { fs_read: true, slow: true } };
const CLOSED: Configuration = { ...OPEN, allow: { read: ["other"] } };
const ALSO: Configuration = { ...OPEN, allow: { read: ["data", "other"] } };
const ASKING: Configuration = { ...OPEN, allow: {}, ask: { read: ["data"] } };

async function place(options: StartOptions = {}): Promise<{ home: Home; runtime: Runtime; barrier: Barrier }> {
  const home = temporaryHome();
  for (const folder of ["data", "other"]) mkdirSync(join(home.root, folder));
  writeFileSync(join(home.root, "data/a"), "content");
  const barrier = new Barrier();
  const slow = capability("slow", async () => {
    await barrier.arrive();
    return {};
  });
  const runtime = await home.start({ configuration: OPEN, capabilities: [slow], ...options });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  return { home, runtime, barrier };
}

const read = (home: Home) => call("fs_read", { path: join(home.root, "data/a") });

/** Those of this system, where each policy engine is changed once it is open; `count` is how many there were with it. */
function withEngines(change: (engine: PolicyEngine, count: number) => void | Promise<void>): Surroundings {
  const surroundings = systemSurroundings();
  let count = 0;
  return {
    ...surroundings,
    openPolicyEngine: async (options) => {
      const engine: PolicyEngine = await surroundings.openPolicyEngine(options);
      count += 1;
      await change(engine, count);
      return engine;
    },
  };
}

describe("a reload", () => {
  it("decides what comes after it, leaves what runs to its end, and is a record", async () => {
    const { home, runtime, barrier } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const running = session.propose(call("slow"));
    await barrier.reached;
    const before = runtime.policy.revision;
    expect((await session.propose(read(home))).status).toBe("completed");
    const { revision } = await runtime.reload({ configuration: home.configuration(CLOSED) }, BY);
    expect(revision).not.toBe(before);
    expect(runtime.status().policy.revision).toBe(revision);
    expect(await session.propose(read(home))).toMatchObject({ status: "denied", policy: { revision } });
    barrier.open();
    expect(await running).toMatchObject({ status: "completed", policy: { revision: before } });
    await runtime.reload({ configuration: home.configuration(OPEN) }, BY);
    expect((await session.propose(read(home))).policy?.revision).toBe(before);

    const records = await recordsOf(runtime.reader);
    const activated = ofType(records, "policy.activated");
    expect(activated.map(({ body }) => body.revision)).toEqual([before, revision, before]);
    expect(activated[1]).toMatchObject({
      actor: { principal: BY, channel: "operator" },
      body: { configuration: home.configuration(CLOSED).sha256 },
    });
    expect(runtime.projection.machine("policy")).toMatchObject({ value: "active", context: { active: before } });
  });

  it("notices what is served at an address, and what is served there no more", async () => {
    const served = { ...OPEN, observability: { health: "127.0.0.1:9464" } };
    const { home, runtime } = await place({ configuration: served });
    const without = { configuration: home.configuration(OPEN) };
    const refused = { code: "FEMTO_RELOAD_RESTART", message: expect.stringContaining("health") };
    await expect(runtime.reload(without, BY)).rejects.toMatchObject(refused);
    await runtime.reload({ configuration: home.configuration({ ...served, allow: CLOSED.allow ?? {} }) }, BY);
  });

  it("of a policy that does not stand leaves everything as it was, says why, and is a record", async () => {
    const { home, runtime } = await place();
    const session = runtime.openSession({ channel: "agent" });
    const before = runtime.policy.revision;
    const bad = home.configuration({ ...OPEN, allow: { read: ["data"], run: { sh: ["*"] } } });
    await expect(runtime.reload({ configuration: bad }, BY)).rejects.toMatchObject({ code: "FEMTO_POLICY_INVALID" });
    const elsewhere = home.configuration({ ...CLOSED, limits: { concurrency: 3 } });
    await expect(runtime.reload({ configuration: elsewhere }, BY)).rejects.toMatchObject({
      code: "FEMTO_RELOAD_RESTART",
      message: expect.stringContaining("limits"),
    });
    expect(runtime.policy.revision).toBe(before);
    expect((await session.propose(read(home))).status).toBe("completed");
    const rejected = ofType(await recordsOf(runtime.reader), "policy.rejected");
    expect(rejected.map(({ body }) => body.code)).toEqual(["FEMTO_POLICY_INVALID", "FEMTO_RELOAD_RESTART"]);
    expect(runtime.projection.machine("policy")).toMatchObject({ value: "active", context: { active: before } });
  });

  it("whose engine cannot take it is rejected with its revision, and the old engine decides on", async () => {
    const surroundings = withEngines((engine, count) => {
      if (count === 2) engine.activate = () => expect.unreachable("the engine traps") as never;
    });
    const { home, runtime } = await place({ surroundings });
    const before = runtime.policy.revision;
    await expect(runtime.reload({ configuration: home.configuration(CLOSED) }, BY)).rejects.toThrow("the engine traps");
    expect((await runtime.openSession({ channel: "agent" }).propose(read(home))).status).toBe("completed");
    const [rejected] = ofType(await recordsOf(runtime.reader), "policy.rejected");
    expect(rejected?.body.revision).toMatch(/^[0-9a-f]{64}$/);
    const live = runtime.projection.machine("policy").context;
    expect(live).toMatchObject({ active: before, candidate: null, rejection: { code: "FEMTO_INTERNAL" } });
    await runtime.close();
    const again = await home.start({ configuration: OPEN, capabilities: [capability("slow")] });
    onTestFinished(() => again.close());
    expect(again.policy.revision).toBe(before);
  });

  it("stays in force if the engine of the policy before was being made anew", async () => {
    const restart = new Barrier();
    const surroundings = withEngines(async (engine, count) => {
      if (count === 1) engine.decideAll = () => expect.unreachable("the engine traps") as never;
      if (count === 2) await restart.arrive();
    });
    const { home, runtime } = await place({ surroundings });
    const session = runtime.openSession({ channel: "agent" });
    expect(await session.propose(read(home))).toMatchObject({ status: "denied" });
    await restart.reached;
    const { revision } = await runtime.reload({ configuration: home.configuration(ALSO) }, BY);
    restart.open();
    await expect
      .poll(async () => ofType(await recordsOf(runtime.reader), "supervision.restarted"))
      .toMatchObject([{ body: { subsystem: "policy" } }]);
    expect(runtime.policy.revision).toBe(revision);
    expect((await session.propose(read(home))).status).toBe("completed");
  });

  it("asks nobody any more about what is denied now, and holds a yes to the rules that asked", async () => {
    const { home, runtime } = await place({ configuration: ASKING });
    const session = runtime.openSession({ channel: "agent" });
    const { execution_id } = await session.propose(read(home));
    await runtime.reload({ configuration: home.configuration({ ...ASKING, deny: { read: ["other"] } }) }, BY);
    expect(await runtime.approvals.list()).toHaveLength(1);
    await runtime.reload({ configuration: home.configuration({ ...ASKING, deny: { read: ["data"] } }) }, BY);
    expect(await session.wait(execution_id)).toMatchObject({
      error: { code: "FEMTO_APPROVAL_REFUSED", reason: expect.stringContaining("the policy changed") },
    });
    expect(await runtime.approvals.list()).toEqual([]);
    expect(runtime.projection.questions.size).toBe(0);
  });

  it("that fails says why, also where the journal cannot take that down", async () => {
    const { home, runtime } = await place();
    const append = vi.spyOn(Journal.prototype, "append");
    onTestFinished(() => append.mockRestore());
    const full = new FemtoError("FEMTO_JOURNAL_OVERLOADED", "16384 records wait");
    append.mockRejectedValueOnce(full);
    const other = { configuration: home.configuration({ ...OPEN, limits: { concurrency: 3 } }) };
    await expect(runtime.reload(other, BY)).rejects.toMatchObject({
      code: "FEMTO_RELOAD_RESTART",
      message: expect.stringMatching(/changes limits \(this could not be recorded: 16384 records wait\)/),
    });
    append.mockRejectedValueOnce(full);
    const unread = new FemtoError("FEMTO_POLICY_INVALID", "a rule is none", { fix: "Correct it." });
    await expect(runtime.rejectPolicy(unread, BY)).rejects.toMatchObject({
      code: "FEMTO_POLICY_INVALID",
      message: "a rule is none (this could not be recorded: 16384 records wait)",
      fix: "Correct it.",
    });
  });

  it("waits for the one before it", async () => {
    const { home, runtime } = await place();
    const revisions = await Promise.all(
      [CLOSED, OPEN, CLOSED, OPEN].map(
        async (tables) => (await runtime.reload({ configuration: home.configuration(tables) }, BY)).revision,
      ),
    );
    expect(runtime.policy.revision).toBe(
      ofType(await recordsOf(runtime.reader), "policy.activated").at(-1)?.body.revision,
    );
    expect(new Set(revisions).size).toBeLessThanOrEqual(2);
    expect((await runtime.openSession({ channel: "agent" }).propose(read(home))).status).toBe("completed");
  });
});
