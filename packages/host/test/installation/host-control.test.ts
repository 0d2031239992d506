/** Whoever changes an installation is not alone: what a killed one had begun with its host goes on without it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HostControl } from "../../src/installation/host-control.ts";
import type { Receipt } from "../../src/installation/receipt.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync("/tmp/fq-");
});
afterEach(() => rmSync(root, { recursive: true }));

const fault = (code: string) => ({ exit: 69, says: { error: { code, reason: "so" } } });
const LOCKED = fault("FEMTO_JOURNAL_LOCKED");
const TAKEN = fault("FEMTO_HOST_RUNNING");
const GONE = fault("FEMTO_HOST_NOT_RUNNING");
const phase = (name: string, binary: string | null = "mine") => ({
  exit: 0,
  says: { phase: name, deployment: { binary } },
});
const DONE = { exit: 0, says: {} };

/** An executable that answers each command with one of these after the other, and what it was asked. */
function control(...answers: readonly (readonly [word: string, { exit: number; says: object }])[]) {
  answers.forEach(([word, { exit, says }], index) => {
    writeFileSync(join(root, `${index + 1}.${word}`), `echo '${JSON.stringify(says)}'\nexit ${exit}\n`);
  });
  const program = join(root, "program");
  writeFileSync(
    program,
    `#!/bin/sh
case " $* " in *" up "*) word=up;; *" down "*) word=down;; *) word=status;; esac
echo $word >> ${root}/asked
. ${root}/$(wc -l < ${root}/asked).$word\n`,
  );
  chmodSync(program, 0o755);
  const receipt = { scope: "user", prefix: root, configuration: "/c", data: root, unit: null, owner: null };
  const host = new HostControl(
    { path: root, program },
    receipt as unknown as Receipt,
    { PATH: "/usr/bin:/bin" },
    () => "mine",
  );
  return { host, asked: () => readFileSync(join(root, "asked"), "utf8").trim().split("\n") };
}

test("a host that is going is waited for, and is not one that runs", async () => {
  const { host, asked } = control(
    ["status", phase("draining")],
    ["status", phase("shuttingDown")],
    ["status", GONE],
    // It went by itself before it could be told to.
    ["down", GONE],
  );
  expect(await host.standing()).toBe("stopped");
  await host.stop("started");
  expect(asked()).toHaveLength(4);
});

test("where the configuration does not count, no host runs if nobody runs a program of the installation", async () => {
  const untrusted = { exit: 78, says: { error: { code: "FEMTO_CONFIG_UNTRUSTED", reason: "so" } } };
  const { host } = control(["status", untrusted], ["status", untrusted]);
  const sleep = join(root, "sleep");
  copyFileSync("/usr/bin/sleep", sleep);
  const child = spawn(sleep, ["600"]);
  await once(child, "spawn");
  await expect(host.standing()).rejects.toThrow("it cannot be told whether a host runs (exit 78)");
  child.kill();
  await once(child, "exit");
  expect(await host.standing()).toBe("stopped");
});

test("a host that somebody else has on its way up is the one that was to be started", async () => {
  const { host, asked } = control(
    ["up", LOCKED],
    ["status", GONE],
    ["up", TAKEN],
    ["status", phase("executing")],
    ["status", phase("idle")],
  );
  await host.start("started");
  expect(asked()).toHaveLength(5);
});

test("a host by another executable makes room for the one in force", async () => {
  const { host, asked } = control(
    ["up", TAKEN],
    ["status", phase("idle", "another")],
    ["down", DONE],
    ["up", DONE],
    ["status", phase("idle")],
  );
  await host.start("started");
  expect(asked()).toEqual(["up", "status", "down", "up", "status"]);
});

test("a host that does not come up for another reason is told of at once", async () => {
  const { host } = control(["up", fault("FEMTO_CONFIG_INVALID")]);
  await expect(host.start("started")).rejects.toThrow(/did not start \(exit 69\): FEMTO_CONFIG_INVALID: so/);
});
