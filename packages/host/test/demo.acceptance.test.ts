/** `femtoclaw demo` as a newcomer sees it, twice. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { validateReply } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { SCRIPT } from "../src/demo/script.ts";
import { Playground } from "./playground.ts";

const README = readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8");

interface Shown {
  readonly steps: { readonly title: string; readonly expected: string; readonly reply: { record: { seq: number } } }[];
  readonly status: { readonly boots: number; readonly counters: Record<string, number> };
  readonly approved: { readonly status: string; readonly result: { readonly exit_code: number } };
  readonly check: { readonly ok: boolean; readonly records: number; readonly snapshots: number };
}

test("runs twice; history, counters and record numbers go on; each row says code, rule, what happened and its record", async () => {
  await using place = new Playground();
  const cwd = place.folder("newcomer");
  const env = { FEMTOCLAW_CONFIG: undefined };
  const first = await place.run(["demo"], { cwd, env });
  expect(first.code, first.stdout + first.stderr).toBe(0);
  for (const { title, expected } of SCRIPT) {
    expect(first.stdout).toContain(title);
    expect(first.stdout).toMatch(new RegExp(`^ {4}${expected}( .*)? {2}record \\d+$`, "m"));
  }
  expect(first.stdout).toMatch(
    /AUTHORIZED {2}toml\/allow\.run\.echo\/1 {2}record \d+\n {4}exit code 0 in bubblewrap: hello/,
  );
  expect(first.stdout).toMatch(/DENIED_POLICY_VIOLATION {2}toml\/deny\.read\/1 {2}record/);
  const shown = /^## Try it$[\s\S]*?^```text\n([\s\S]*?)^```$/m.exec(README)?.[1]?.trimEnd().split("\n\n") ?? [];
  expect(shown.length).toBeGreaterThan(2);
  for (const step of shown) expect(first.stdout).toContain(step);
  expect(first.stdout).not.toContain("a secret that no agent may see");
  expect(first.stdout).not.toContain("\u001b");
  expect(first.stdout).toContain("boot 2 of this journal");

  const second = await place.json<Shown>(["demo"], { cwd, env });
  expect(second.code).toBe(0);
  expect(second.value.status.boots).toBe(4);
  expect(second.value.status.counters).toMatchObject({
    // Twice four, and the one that waited for an operator the first time.
    completed: 9,
    refused: 12,
    failed: 0,
    messages: 2,
    interrupted: 0,
  });
  expect(second.value.check).toMatchObject({ ok: true, snapshots: expect.any(Number) });
  expect(second.value.approved).toMatchObject({ status: "completed", result: { exit_code: 0 } });
  expect(first.stdout).toMatch(
    /an operator says yes, and it runs:\n {4}AUTHORIZED {2}exit code 0 in bubblewrap: 20\d\d/,
  );
  for (const { reply } of second.value.steps) expect(validateReply(reply)).toBe(true);
  const earlier = [...first.stdout.matchAll(/record (\d+)$/gm)].map(([, seq]) => Number(seq));
  const later = second.value.steps.map(({ reply }) => reply.record.seq);
  expect(earlier).toHaveLength(SCRIPT.length);
  expect(Math.min(...later)).toBeGreaterThan(Math.max(...earlier));

  const hints = [...first.stdout.matchAll(/femtoclaw -- (--config .+)$/gm)].map(([, args]) => String(args).split(" "));
  expect(hints).toHaveLength(4);
  for (const args of hints) expect((await place.run(args, { cwd, env })).code).toBe(0);

  const fresh = await place.json<Shown>(["demo", "--fresh"], { cwd, env });
  expect(fresh.value.status.boots).toBe(2);
  // The journal is another one now, and vouched for by its own key.
  for (const args of hints) expect((await place.run(args, { cwd, env })).code).toBe(0);
});

test("takes no orders from what lay in its folder before", async () => {
  await using place = new Playground();
  const cwd = place.folder("hostile");
  const env = { FEMTOCLAW_CONFIG: undefined };
  const precious = place.write("precious.txt", "do not touch\n");
  mkdirSync(join(cwd, ".femtoclaw-demo/workspace/secrets"), { recursive: true, mode: 0o700 });
  symlinkSync(precious, join(cwd, ".femtoclaw-demo/workspace/secrets/token.txt"));
  const hostile = `search_path = ["${cwd}/bin"]\n[allow]\nwrite = ["${place.root}"]\n`;
  writeFileSync(join(cwd, ".femtoclaw-demo/femtoclaw.toml"), hostile);
  expect((await place.run(["demo"], { cwd, env })).code).toBe(0);
  expect(readFileSync(precious, "utf8")).toBe("do not touch\n");

  const linked = place.folder("linked");
  symlinkSync(place.folder("elsewhere"), join(linked, ".femtoclaw-demo"));
  expect((await place.run(["demo"], { cwd: linked, env })).code).toBe(78);
  expect(existsSync(join(place.root, "elsewhere", "workspace"))).toBe(false);
});
