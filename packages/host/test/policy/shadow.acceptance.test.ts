/** Rules on trial as operators use them: written beside those in force, loaded, looked at, taken over, and never told to agents. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentClient, LogMemory } from "@femtoclaw/client";
import { expect, test } from "vitest";
import type { PolicyDraft } from "../../src/policy/draft.ts";
import type { Why } from "../../src/policy/why.ts";
import { Playground, toolCall } from "../playground.ts";

const IN_FORCE = `workspace = "."
search_path = ["/usr/bin", "/bin"]
[capabilities]
fs_read = true
fs_list = true
[allow]
read = ["notes.txt", "secrets"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;
const TRIAL = `${IN_FORCE}
[shadow.allow]
read = ["."]
[shadow.deny]
read = ["secrets"]
`;
const CEDAR = `@id("no-lists")
@reason("lists tell names")
forbid (principal, action == Action::"fs_list", resource);
`;

interface Shadow {
  readonly revision: string | null;
  readonly others: number;
  readonly calls: number;
  readonly changed: number;
  readonly groups: readonly {
    readonly was: string;
    readonly now: string;
    readonly tool: string;
    readonly count: number;
  }[];
}

test("are tried out beside those in force by a real host, and told to operators alone", async () => {
  await using place = new Playground(TRIAL);
  place.write("p/policy/shadow/lists.cedar", CEDAR);
  place.write(
    "p/policy/shadow/a.test.toml",
    '[tool.fs_read]\nmatch = ["notes.txt"]\nnot_match = ["secrets/token.txt"]\n',
  );
  place.write("p/other.txt", "other");
  const shown = await place.run(["policy", "show"]);
  expect(shown.stdout).toContain("// ON TRIAL: what follows is in force nowhere");
  const onTrial = shown.stdout.slice(shown.stdout.indexOf("// ON TRIAL"));
  expect(onTrial).toContain("// file/lists/no-lists (policy/shadow/lists.cedar:1:1)");
  // Whoever takes the whole text for a policy gets the one in force.
  for (const line of onTrial.split("\n")) expect(line).toMatch(/^(\/\/.*)?$/);
  const check = await place.json<{ shadow: { revision: string } }>(["policy", "check"]);
  const { revision } = check.value.shadow;
  await place.up();
  expect((await place.run(["status"])).stdout).toMatch(/on trial {2,}\d+ rules, revision/);

  const heard = [
    await place.propose("fs_read", { path: "notes.txt" }),
    await place.propose("fs_read", { path: "secrets/token.txt" }),
    await place.propose("fs_read", { path: "other.txt" }),
    await place.propose("fs_list", { path: "secrets" }),
  ];
  expect(heard.map(({ status }) => status)).toEqual(["completed", "completed", "denied", "completed"]);
  expect(JSON.stringify(heard)).not.toMatch(new RegExp(`shadow|trial|no-lists|${revision}`));
  const [, secret, other] = heard;

  const shadow = await place.json<Shadow>(["policy", "shadow"]);
  expect(shadow.code).toBe(1);
  expect(shadow.value).toMatchObject({ revision, others: 0, calls: 4, changed: 3 });
  expect(shadow.value.groups.map(({ was, now, tool, count }) => `${was} ${now} ${tool} ${count}`).sort()).toEqual([
    "allowed denied fs_list 1",
    "allowed denied fs_read 1",
    "denied allowed fs_read 1",
  ]);
  const again = await place.json<Shadow>(["policy", "shadow", "--recorded"]);
  expect(again).toMatchObject({ code: 0, value: { calls: 4, changed: 0 } });

  const why = await place.json<Why>(["policy", "why", String(secret?.record?.seq)]);
  expect(why.value.shadow).toMatchObject({
    revision,
    verdict: "denied",
    differs: true,
    again: "same",
    rules: [{ id: "toml/deny.read/1", source: "femtoclaw.toml:16:9" }],
  });
  expect((await place.run(["policy", "why", String(other?.record?.seq)])).stdout).toContain(
    "would permit it, unlike those in force",
  );
  const { value: draft } = await place.json<PolicyDraft & { readonly toml: string }>(["policy", "learn"]);
  expect(draft.trial).toMatchObject({
    revision,
    calls: 4,
    permits: [{ count: 1 }],
    denies: [{ count: 1 }, { count: 1 }],
  });
  expect(draft.toml).toContain("the rules on trial permit 1 of them");
  expect(draft.toml).toContain("#   file/lists/no-lists (policy/shadow/lists.cedar:1:1)");

  // The agent's socket has no verb that would tell.
  using raw = await place.socket("agent");
  for (const verb of ["policy.decision", "policy.show", "executions.show", "status"]) {
    expect(JSON.stringify(await raw.ask({ id: 1, verb, ref: "1", execution: "x" }))).toContain("FEMTO_");
  }
});

test("come and go by reload, are trusted like the rest, and a broken set leaves everything as it was", async () => {
  await using place = new Playground(TRIAL);
  await place.up();
  const first = (await place.json<{ policy: { shadow: { revision: string } } }>(["status"])).value.policy.shadow
    .revision;
  place.write("p/policy/shadow/lists.cedar", "permit(principal, action, resource);");
  const refused = await place.run(["reload"]);
  expect(refused).toMatchObject({ code: 78 });
  expect(refused.stderr).toContain("policy/shadow/lists.cedar:1:1");
  place.write("p/policy/shadow/lists.cedar", CEDAR);
  const changed = await place.json(["reload"]);
  expect(changed.value).toMatchObject({ changed: true, shadow_before: first });
  expect(changed.value).toMatchObject({ revision: (changed.value as { before: string }).before });
  // Files in the folder of what is on trial are never silently left out, nor in force.
  writeFileSync(join(place.project, "femtoclaw.toml"), IN_FORCE);
  expect((await place.run(["reload"])).stderr).toContain("rules on trial need a table [shadow]");
  rmSync(join(place.project, "policy"), { recursive: true });
  expect((await place.run(["reload"])).stdout).toContain("nothing is on trial any more");
  await place.down();
  place.write("p/policy/shadow/lists.cedar", CEDAR);
  // Of a start the same is asked as of a reload.
  expect((await place.run(["up"])).code).toBe(78);
});

test("a file that is in force and on trial is warned of once", async () => {
  await using place = new Playground(TRIAL);
  const resource = 'resource in Path::"/srv/no-such-folder"';
  place.write("p/policy/far.cedar", `@id("far")\n@reason("far away")\nforbid (principal, action, ${resource});\n`);
  const { code, stderr } = await place.run(["trust"]);
  expect([code, stderr.match(/warning: policy\/far\.cedar:3/g)?.length]).toEqual([0, 1]);
});

test("of a single agent are asked about its calls alone, and are changed without a new start", async () => {
  await using place = new Playground(`${IN_FORCE}
[agent.reviewer.allow]
read = ["notes.txt", "secrets"]
[shadow.agent.reviewer.allow]
read = ["notes.txt"]
`);
  expect((await place.run(["trust"])).stdout).toContain("on trial, and in force nowhere: other rights of the agents");
  await place.up();
  const memory = new LogMemory({ environment: place.environment, place: place.runtime, warn: () => undefined });
  const read = async (path: string) => {
    await using reviewer = await AgentClient.connect(place.runtime, memory, { agent: "reviewer" });
    return (await reviewer.propose(Buffer.from(JSON.stringify(toolCall("fs_read", { path }))))).status;
  };
  const all = [await read("notes.txt"), await read("secrets/token.txt")];
  expect([...all, (await place.propose("fs_read", { path: "secrets/token.txt" })).status]).toEqual(
    Array.from({ length: 3 }, () => "completed"),
  );
  const { value } = await place.json<Shadow>(["policy", "shadow"]);
  expect(value).toMatchObject({ calls: 3, changed: 1, groups: [{ was: "allowed", now: "denied", count: 1 }] });
  // The trial becomes a table in force by a reload.
  place.write("p/femtoclaw.toml", `${IN_FORCE}[agent.reviewer.allow]\nread = ["notes.txt"]\n`);
  expect((await place.run(["reload"])).stdout).toContain("nothing is on trial any more");
  expect([await read("notes.txt"), await read("secrets/token.txt")]).toEqual(["completed", "denied"]);
});
