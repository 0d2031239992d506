/** Killed in front of every step of a fork and of the opening of an epoch: the old log or the new one, whole. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { verifyDirectory } from "@femtoclaw/journal";
import { copyState, testedProgram } from "@femtoclaw/testing";
import { expect, it } from "vitest";
import { call, capability, type Home, temporaryHome } from "../runtime-fixture.ts";

const DIES = testedProgram(join(import.meta.dirname, "die-at-step.ts"));
/** More steps than there are; a run that reaches it has not ended by itself. */
const STEPS_MAX = 60;

async function homeWithLog(): Promise<{ home: Home; origin: string; size: number }> {
  const home = temporaryHome();
  const runtime = await home.start({ capabilities: [capability("quick")] });
  const session = runtime.openSession({ channel: "library" });
  for (let n = 0; n < 3; n += 1) await session.propose(call("quick", { n }));
  const { log: origin } = runtime.status();
  await runtime.close();
  return { home, origin, size: runtime.reader.size };
}

/** Whether it ended by itself. */
function endsAtStep(home: Home, what: "start" | "fork", step: number): boolean {
  // One that is killed cannot remove its copies of a log.
  const env = { ...process.env, TMPDIR: home.root };
  const { signal, status, stderr } = spawnSync(process.execPath, [DIES, home.root, what, String(step)], { env });
  if (signal === "SIGKILL") return false;
  expect({ step, status, stderr: stderr.toString() }).toMatchObject({ status: 0 });
  return true;
}

async function sound(journal: string): Promise<void> {
  expect(await verifyDirectory(journal)).toMatchObject({ verdict: "verified", fault: null });
}

it("a fork is there whole or not at all", async () => {
  const { home } = await homeWithLog();
  const forked = join(home.root, "forked");
  let step = 1;
  for (; !endsAtStep(home, "fork", step); step += 1) {
    expect(step).toBeLessThan(STEPS_MAX);
    if (existsSync(forked)) {
      await sound(join(forked, "journal"));
      rmSync(forked, { recursive: true });
    }
  }
  expect(step).toBeGreaterThan(5);
  await sound(join(forked, "journal"));
  await sound(join(home.state, "journal"));
  // What those that were killed had left, the next one took away.
  expect(readdirSync(home.root).filter((name) => name.startsWith("."))).toEqual([]);
});

it("an epoch is opened once, whenever its opening was cut off", async () => {
  const { home, origin, size } = await homeWithLog();
  const original = join(home.root, "original");
  renameSync(home.state, original);
  let step = 1;
  for (let ended = false; !ended; step += 1) {
    expect(step).toBeLessThan(STEPS_MAX);
    copyState(original, home.state);
    ended = endsAtStep(home, "start", step);
    const runtime = await home.start();
    expect(runtime.status(), `step ${step}`).toMatchObject({ phase: "idle", parent: { origin, size, reason: "copy" } });
    await runtime.close();
    await sound(join(home.state, "journal"));
    await sound(join(home.state, "epochs/1/journal"));
    expect(readdirSync(join(home.state, "epochs"))).toEqual(["1"]);
    expect(readdirSync(join(home.state, "epochs/1")).sort()).toEqual(["identity", "journal", "keys", "state.json"]);
    expect(readdirSync(join(home.state, "epochs/1/keys"))).toEqual([]);
    rmSync(home.state, { recursive: true });
  }
  expect(step).toBeGreaterThan(10);
});
