/** Attacks on a yes whose call waits for a place among the effects while the policy is loaded anew. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import { expect, it, onTestFinished } from "vitest";
import { call, holding, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";

const ASKING = { ask: { write: ["out"] } };

it.each<[string, Configuration, "completed" | "pending"]>([
  ["asks by another rule", { ask: { write: ["workspace", "out"] } }, "pending"],
  ["asks the same", { ...ASKING, allow: { read: ["out"] } }, "completed"],
  ["asks nobody", { allow: { write: ["out"] } }, "completed"],
])("a yes is none to a policy that comes meanwhile and %s", async (_, then, status) => {
  const home = temporaryHome();
  mkdirSync(join(home.root, "out"));
  const { holds, full } = holding();
  const own = { capabilities: { holds: true, fs_write: true }, limits: { concurrency: 1 } } as const;
  const runtime = await home.start({ capabilities: [holds], configuration: { ...own, ...ASKING } });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const session = runtime.openSession({ channel: "agent" });
  // The one place of its session is taken, so that what follows waits for it.
  const held = session.propose(call("holds"));
  await full.reached;
  const path = join(home.root, "out/note");
  const { execution_id } = await session.propose(call("fs_write", { path, content: "x", mode: "create" }));
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing is asked");
  const { id, digest } = question;
  await runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
  await expect.poll(() => runtime.status().running).toBe(2);
  await runtime.reload({ configuration: home.configuration({ ...own, ...then }) }, "uid:0");
  // What the session did up to now has changed, so that the call is decided on once more.
  await session.propose(call("unknown"));
  full.open();
  await held;
  if (status === "completed") return expect(await session.wait(execution_id)).toMatchObject({ status });
  await expect.poll(async () => (await runtime.approvals.list()).map((asked) => asked.id)).toHaveLength(1);
  expect((await runtime.approvals.list())[0]?.id).not.toBe(id);
  expect(existsSync(path)).toBe(false);
  const intents = ofType(await recordsOf(runtime.reader), "execution.intent");
  expect(intents.filter(({ body }) => body.tool === "fs_write")).toEqual([]);
});
