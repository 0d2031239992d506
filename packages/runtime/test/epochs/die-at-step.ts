/**
 * A process of the crash tests: starts a runtime in a state directory, or forks its log, and dies in front of
 * the step of that number which would change a folder. It ends by itself once there are fewer steps.
 */
import { promises } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const [root = "", what = "", number = "0"] = process.argv.slice(2);
let left = Number(number);

for (const name of ["mkdir", "rename", "rmdir", "unlink", "rm"] as const) {
  const real = promises[name] as (...args: unknown[]) => Promise<unknown>;
  Object.assign(promises, {
    [name]: (...args: unknown[]) => {
      left -= 1;
      if (left === 0) process.kill(process.pid, "SIGKILL");
      return real(...args);
    },
  });
}
syncBuiltinESMExports();

// Loaded only now, so that they get the functions from above.
const { LeveldbStore, StoreReader } = await import("@femtoclaw/journal");
const { createRuntime, resolveConfiguration } = await import("@femtoclaw/runtime");
const { forkLog } = await import("@femtoclaw/runtime/epochs");

if (what === "fork") {
  const stateDirectory = join(root, "state");
  const store = new LeveldbStore(join(stateDirectory, "journal"));
  const { size } = await store.open();
  await forkLog({ reader: new StoreReader(store, size), seq: 5, out: join(root, "forked"), stateDirectory });
  await store.close();
} else {
  const configuration = { memory: { path: "state" }, host: { runtime_dir: "run" } };
  const runtime = await createRuntime({
    configuration: resolveConfiguration({ configuration, baseDirectory: root, environment: { HOME: root } }),
  });
  await runtime.close();
}
