/** What a launched agent writes, seen by those who look on: what its launcher reads, without secrets, and never in its way. */
import type { OutputPart } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Playground } from "../playground.ts";
import { launch, launchConfiguration, mcpScript, ran, said } from "./launch-place.ts";

let place: Playground;
beforeAll(async () => {
  place = new Playground(launchConfiguration());
  await place.up();
});
afterAll(() => place[Symbol.asyncDispose]());

/** The launch that runs, or ran last. */
async function launched(): Promise<string> {
  const [newest] = (await place.executions()).filter(({ tool }) => tool === "agent_run");
  return newest?.execution_id ?? "";
}

const textOf = (parts: readonly { readonly text: string }[]): string => parts.map(({ text }) => text).join("");

test("operators follow an agent by the command, on pipes and on a terminal, and its launcher reads the same bytes", async () => {
  for (const size of [null, { cols: 80, rows: 24 }]) {
    const script =
      'printf "begun \\033[2J\\n"; printf "aside\\n" >&2; printf "key: AKIA"; read go; echo B2B2B2B2B2B2B2B2; exit 3';
    const { operator } = await launch(place, "script", ["-c", script], size);
    const before = await said(operator, "key: AKIA");
    const execution = await launched();
    const follow = place.run(["executions", "follow", execution]);
    await using onlooker = await place.operator();
    const seen = await onlooker.watchOutput(execution, 0, 0);
    expect(textOf(seen.parts)).toContain("begun \u001b[2J");
    expect(textOf(seen.parts)).not.toContain("AKIA");
    expect(seen.state).toBe("running");
    // Nothing echoes what is typed but the terminal, which makes of it what a secret would be looked for in.
    await operator.launched.write(Buffer.from(size === null ? "\n" : "\r"));
    const after = await said(operator);
    expect(after.ended?.reply.result).toMatchObject({ exit_code: 3 });
    const { stdout } = await follow;
    expect(stdout).toContain("begun \\u{1b}[2J");
    expect(stdout).toContain("aside");
    expect(stdout).toMatch(/exit_code 3/);
    expect(`${before.stdout}${after.stdout}`).toContain("key: AKIA");
    if (size === null) expect(stdout).toContain("key: [redacted:aws-key]");
    await operator.close();
  }
});

test("whoever looks on neither takes anything from its launcher nor lets it write faster than that reads", async () => {
  const { operator } = await launch(place, "script", ["-c", "echo first; yes"]);
  await said(operator, "first");
  const execution = await launched();
  await using onlooker = await place.operator();
  const written = async (): Promise<number> => {
    for (let from = 0; ; ) {
      const { next, parts, skipped } = await onlooker.watchOutput(execution, from, 0);
      if (parts.length === 0 && skipped === 0) return next;
      from = next;
    }
  };
  // It may have written so much that nobody has read; then it waits, however eagerly somebody looks on.
  await expect.poll(written).toBeGreaterThan(262_144);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = await written();
  expect(before).toBeLessThan(2_000_000);
  await said(operator, "y\n".repeat(1_000));
  await expect.poll(written).toBeGreaterThan(before);
  await operator.launched.end();
  await said(operator);
  await operator.close();
});

test("it is told to operators and to its own session alone, as no part of any record, and not beyond its end", async () => {
  const { stdout, session } = await ran(place, "script", "-c", "echo words of an agent; printf '\\377\\303('");
  expect(stdout).toContain("words of an agent");
  const execution = await launched();
  await using operator = await place.operator();
  const seen = await operator.watchOutput(execution, 0, 0);
  expect([textOf(seen.parts), seen.state]).toEqual(["words of an agent\n\ufffd\ufffd(", "ended"]);
  using other = await place.socket("agent");
  expect(await other.ask({ id: 1, verb: "watch", execution, from: 0, wait_ms: 0 })).toMatchObject({
    error: { code: "FEMTO_EXECUTION_NOT_FOUND" },
  });
  const records: { readonly seq: number; readonly session: unknown }[] = [];
  for (let page = await operator.records(0); page.records.length > 0; ) {
    records.push(...page.records);
    page = await operator.records((page.records.at(-1)?.seq ?? 0) + 1);
  }
  const own = JSON.stringify(records.filter((record) => record.session === session));
  expect(own).toContain("agent_run");
  expect(own).toContain('"exit_code":0');
  expect(own.replace(/"argv":\[.*?\]/g, "")).not.toContain("words of an agent");
});

test("its calls have an output of their own", async () => {
  const calls = [{ name: "process_exec", arguments: { bin: "echo", argv: ["said by a call"] } }];
  const { session } = await ran(place, "script", "-c", `${mcpScript(calls)} > /dev/null; echo said by the agent`);
  await using operator = await place.operator();
  const told: Record<string, string> = {};
  for (const { execution_id, tool, session: of } of await place.executions()) {
    if (of !== session) continue;
    const parts: OutputPart[] = [];
    for await (const part of operator.output(execution_id)) parts.push(part);
    told[String(tool)] = textOf(parts);
  }
  expect(told).toEqual({ agent_run: "said by the agent\n", process_exec: "said by a call\n" });
});
