/** A call waits for an operator over a restart, and policy is another one by then. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import { expect, it, onTestFinished } from "vitest";
import { call, ofType, recordsOf, temporaryHome } from "../runtime-fixture.ts";

const capabilities = { fs_write: true } as const;

it.each<[string, Configuration, string]>([
  ["permits it without asking", { capabilities, allow: { write: ["out"] } }, "completed"],
  ["forbids it", { capabilities, ask: { write: ["out"] }, deny: { write: ["out"] } }, "denied"],
  ["permits it no more", { capabilities }, "denied"],
])("a call that waited ends as the policy of then says, where that %s", async (_, then, status) => {
  const home = temporaryHome();
  mkdirSync(join(home.root, "out"));
  const asking = await home.start({ configuration: { capabilities, ask: { write: ["out"] } } });
  const session = asking.openSession({ channel: "agent" });
  const message = call("fs_write", { path: join(home.root, "out/note"), content: "x", mode: "create" });
  const { execution_id } = await session.propose(message);
  await asking.close();
  const runtime = await home.start({ configuration: then });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("the question waits on");
  const { id, digest } = question;
  const ended = runtime.openSession({ channel: "agent" }).wait(execution_id);
  await runtime.approvals.answer({ id, digest, answer: "granted", scope: "once", by: "uid:0" });
  expect(await ended).toMatchObject({ status });
  expect(runtime.status()).toMatchObject({ phase: "idle", fault: null });
  const records = await recordsOf(runtime.reader);
  const ends = [...ofType(records, "execution.intent"), ...ofType(records, "execution.refused")];
  expect(ends.map(({ body }) => body.approval)).toEqual([Number(id)]);
});
