/** A journal of many real decisions under several policies, as real runtimes wrote it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { compilePolicy } from "@femtoclaw/policy";
import type { Configuration } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { CandidateJudge, type Judge } from "@femtoclaw/runtime/redecide";
import { call, Home } from "../runtime-fixture.ts";

const ENABLED = { fs_read: true, fs_write: true, fs_list: true } as const;

export const TABLES: readonly Configuration[] = [
  { capabilities: ENABLED, allow: { read: ["workspace"] } },
  {
    capabilities: ENABLED,
    allow: { read: ["workspace"], write: ["workspace/out"] },
    deny: { read: ["workspace/secrets"] },
  },
  { capabilities: ENABLED, allow: { read: ["workspace"] }, ask: { write: ["workspace/out"] } },
  { capabilities: ENABLED, allow: { write: ["workspace"] } },
];

const ROUNDS = 12;

/** Leaves the last runtime running; whoever gets it closes it and removes the home. */
export async function decidedHistory(): Promise<{ readonly home: Home; readonly runtime: Runtime }> {
  const home = new Home();
  for (const folder of ["out", "secrets"]) mkdirSync(join(home.root, "workspace", folder));
  writeFileSync(join(home.root, "workspace", "secrets", "key"), "k");
  writeFileSync(join(home.root, "workspace", "notes"), "n");
  for (const [at, configuration] of TABLES.entries()) {
    const runtime = await home.start({ configuration });
    const session = runtime.openSession({ channel: "agent" });
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all([
        session.propose(call("fs_read", { path: "notes" })),
        session.propose(call("fs_read", { path: "secrets/key" })),
        session.propose(call("fs_list", { path: round % 2 === 0 ? "." : "/usr" })),
        session.propose(call("fs_write", { path: `out/${at}-${round}`, content: "x", mode: "overwrite" })),
        session.propose(call("fs_write", { path: "secrets/new", content: "x", mode: "overwrite" })),
        session.propose(call("fs_read", { path: "nowhere" })),
        session.propose(call("nothing")),
      ]);
    }
    await answerSome(runtime, session);
    if (at === TABLES.length - 1) return { home, runtime };
    await runtime.close();
  }
  throw new Error("there are tables");
}

/** Of what is asked, some is granted, some refused, and the rest waits on. */
async function answerSome(runtime: Runtime, session: Session): Promise<void> {
  for (const [at, { id, execution_id, digest }] of (await runtime.approvals.list()).entries()) {
    if (at % 3 === 2) continue;
    const answer = at % 3 === 0 ? "granted" : "refused";
    const ended = session.wait(execution_id);
    await runtime.approvals.answer({ id, digest, answer, scope: "once", by: "uid:0" });
    await ended;
  }
}

export async function judgeUnder(home: Home, configuration: Configuration, enabled: readonly string[]): Promise<Judge> {
  const { authority } = home.configuration(configuration);
  const policy = compilePolicy({ authority, manifests: builtinCapabilities.map(({ manifest }) => manifest) });
  return await CandidateJudge.open({ policy, authority, enabled: new Set(enabled) });
}
