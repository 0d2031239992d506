/** A call that is permitted, asked about when its turn comes, and covered by a yes of its session, takes its places once. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import { expect, it, onTestFinished, vi } from "vitest";
import { FairSlots } from "../../src/gate/admission/fair-slots.ts";
import { call, holding, temporaryHome } from "../runtime-fixture.ts";

const ASKING: Configuration = { ask: { read: ["out"] } };
const OPEN: Configuration = { allow: { read: ["out"] } };

it("gives back each place that it took", async () => {
  const taken = new Set<symbol>();
  const acquire = FairSlots.prototype.acquire;
  vi.spyOn(FairSlots.prototype, "acquire").mockImplementation(function (this: FairSlots, session) {
    const place = Symbol(session);
    const counted = (release: () => void) => {
      taken.add(place);
      return () => {
        taken.delete(place);
        release();
      };
    };
    const acquired = acquire.call(this, session);
    return acquired instanceof Promise ? acquired.then(counted) : counted(acquired);
  });
  onTestFinished(() => void vi.restoreAllMocks());
  const home = temporaryHome();
  mkdirSync(join(home.root, "out"));
  writeFileSync(join(home.root, "out/note"), "x");
  const { holds, full } = holding();
  const own = { capabilities: { holds: true, fs_read: true }, limits: { concurrency: 1 } } as const;
  const runtime = await home.start({ capabilities: [holds], configuration: { ...own, ...ASKING } });
  onTestFinished(() => runtime.close({ drainMs: 0 }));
  const loads = (policy: Configuration) =>
    runtime.reload({ configuration: home.configuration({ ...own, ...policy }) }, "uid:0");
  const session = runtime.openSession({ channel: "agent" });
  const note = { path: join(home.root, "out/note") };
  const asked = await session.propose(call("fs_read", note));
  const [question] = await runtime.approvals.list();
  if (question === undefined) throw new Error("nothing is asked");
  const { id, digest } = question;
  await runtime.approvals.answer({ id, digest, answer: "granted", scope: "session", by: "uid:0" });
  expect(await session.wait(asked.execution_id)).toMatchObject({ status: "completed" });
  await loads(OPEN);
  const held = session.propose(call("holds"));
  await full.reached;
  const waiting = session.propose(call("fs_read", note));
  await expect.poll(() => runtime.status().running).toBe(2);
  await loads(ASKING);
  // What the session did up to now has changed, so that the call is decided on once more.
  await session.propose(call("unknown"));
  full.open();
  await held;
  expect(await waiting).toMatchObject({ status: "completed" });
  await expect.poll(() => runtime.status().running).toBe(0);
  expect([...taken].map(String)).toEqual([]);
});
