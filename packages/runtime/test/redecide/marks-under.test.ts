/** Another table of sensitive places is asked about the past: what it would have marked, and what that would have forbidden. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";
import { AS_RECORDED, policyDifference } from "@femtoclaw/runtime/redecide";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call, Home } from "../runtime-fixture.ts";
import { judgeUnder } from "./decided-history.ts";

const OPEN: Configuration = {
  capabilities: { fs_read: true, process_exec: true },
  search_path: ["/usr/bin", "/bin"],
  allow: { read: ["workspace"], run: { echo: ["*"] } },
};
const FORBIDS: Pick<Configuration, "after_secret"> = { after_secret: { run: { echo: ["*"] } } };
const MARKS: Configuration = { ...OPEN, ...FORBIDS, sensitive: { secret: ["workspace/secrets"] } };
/** The same, but nobody would have read anything there. */
const CLOSED: Configuration = { ...MARKS, deny: { read: ["workspace/secrets"] } };
const ELSEWHERE: Configuration = { ...OPEN, ...FORBIDS, sensitive: { secret: ["workspace/other"] } };

let home: Home;
let runtime: Runtime;
beforeAll(async () => {
  home = new Home();
  for (const folder of ["secrets", "other"]) mkdirSync(join(home.root, "workspace", folder));
  writeFileSync(join(home.root, "workspace", "secrets", "key"), "k");
  // First nothing is secret, and then something is; the marks of the second go on into nobody's first.
  for (const configuration of [OPEN, MARKS]) {
    runtime = await home.start({ configuration });
    const session = runtime.openSession({ channel: "agent" });
    for (const path of ["echo", "secrets/key", "echo"]) {
      const proposal = path === "echo" ? call("process_exec", { bin: "echo", argv: ["x"] }) : call("fs_read", { path });
      await session.propose(proposal);
    }
    if (configuration === OPEN) await runtime.close();
  }
});
afterAll(async () => {
  await runtime.close({ drainMs: 0 });
  home.remove();
});

async function changes(configuration: Configuration, since = 0): Promise<readonly string[]> {
  const after = await judgeUnder(home, configuration, ["fs_read", "process_exec"]);
  const { groups, calls } = await policyDifference(runtime.reader, { before: AS_RECORDED, after, since });
  expect(calls).toBe(since === 0 ? 6 : 3);
  return groups.map(({ was, now, tool, now_rules, count }) => `${count} ${was} ${now} ${tool} ${now_rules}`).sort();
}

it("what would have marked earlier would have forbidden earlier", async () => {
  // The first echo stands before any secret was read; the last one was denied in truth as well.
  expect(await changes(MARKS)).toEqual(["2 allowed denied process_exec toml/after_secret.run.echo/1"]);
});

it("where the place is not secret, or is nowhere, nothing is forbidden any more", async () => {
  const [permitted] = [["1 denied allowed process_exec toml/allow.run.echo/1"]];
  expect(await changes(OPEN)).toEqual(permitted);
  expect(await changes(ELSEWHERE)).toEqual(permitted);
});

it("what would not have been permitted would have marked nobody", async () => {
  expect(await changes(CLOSED)).toEqual([
    "1 denied allowed process_exec toml/allow.run.echo/1",
    "2 allowed denied fs_read toml/deny.read/1",
  ]);
});

it("a mark whose cause lies before what is looked at stays", async () => {
  const seqs: number[] = [];
  for await (const { seq, type } of runtime.reader.read(0, runtime.reader.size))
    if (type === "policy.activated") seqs.push(seq);
  const [, second = 0] = seqs;
  expect(await changes(ELSEWHERE, second)).toEqual(["1 denied allowed process_exec toml/allow.run.echo/1"]);
  const after = await judgeUnder(home, ELSEWHERE, ["fs_read", "process_exec"]);
  const last = runtime.reader.size - 1;
  expect(await policyDifference(runtime.reader, { before: AS_RECORDED, after, since: last })).toMatchObject({
    calls: 1,
    changed: 0,
  });
});
