/** A host that fails to start after its runtime did leaves nothing behind. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { loadConfiguration } from "../src/configuration/load-configuration.ts";
import { HostProcess } from "../src/process/host-process.ts";
import { QuestionWatch } from "../src/webhook/question-watch.ts";
import { KEY } from "./webhook/receiver.ts";

const CONFIGURATION = `
[capabilities]
fs_read = true
[allow]
read = ["."]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
[approvals.webhook]
url = "http://127.0.0.1:9/"
key_file = "../hook.key"
`;

test("a webhook that cannot begin fails the start, and gives the journal back", async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-host-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  // A host in this process would remember its log in the home of whoever runs the tests.
  vi.stubEnv("HOME", root);
  vi.stubEnv("XDG_STATE_HOME", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  mkdirSync(join(root, "p"), { mode: 0o700 });
  const configFlag = join(root, "p/femtoclaw.toml");
  writeFileSync(configFlag, CONFIGURATION, { mode: 0o600 });
  writeFileSync(join(root, "hook.key"), KEY, { mode: 0o600 });
  const load = () => loadConfiguration({ cwd: root, environment: { HOME: root }, configFlag });
  const start = () => HostProcess.start({ loaded: load(), load, log: () => undefined });

  const spy = vi.spyOn(QuestionWatch.prototype, "start").mockImplementation(() => {
    throw new Error("the questions cannot be watched");
  });
  onTestFinished(() => spy.mockRestore());
  await expect(start()).rejects.toThrow("the questions cannot be watched");
  spy.mockRestore();
  await (await start()).stop({ now: true });
});
