/** Erasing on a real host: the value is in no file any more, and everything that was proved is proved still. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionView } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Host, Playground } from "./playground.ts";

const place = new Playground();
const CANARY = "the private diary of one person";
let host: Host;
let execution = "";
let outcome = 0;

/** Files below the folder that hold the text. */
function filesWith(folder: string, text: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((file) => join(file.parentPath, file.name)).filter((path) => readFileSync(path).includes(text));
}

beforeAll(async () => {
  place.write("p/diary.txt", `${CANARY}\n`.repeat(1_000));
  host = await place.up();
  const reply = await place.propose("fs_read", { path: "diary.txt" });
  execution = reply.execution_id;
  outcome = reply.record?.seq ?? 0;
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

test("an export carries the value only when it is asked to, apart, and says which it did", async () => {
  const bare = await place.run(["audit", "export", "--format", "tiles", "--out", join(place.root, "bare", "log")]);
  expect(bare.code).toBe(70);
  place.folder("bare");
  const without = await place.run(["audit", "export", "--format", "jsonl", "--out", join(place.root, "bare", "log")]);
  expect(without.stdout).toContain("without the values");
  const events = ["audit", "export", "--format", "ocsf", "--out", join(place.root, "bare", "ocsf")];
  expect((await place.run(events)).code).toBe(0);
  expect((await place.run([...events, "--with-values"])).code).toBe(64);
  expect(filesWith(join(place.root, "bare"), CANARY)).toEqual([]);
  const out = join(place.folder("values"), "log");
  const { value } = await place.json<{ values: number }>([
    "audit",
    "export",
    "--format",
    "tiles",
    "--with-values",
    "--out",
    out,
  ]);
  expect(value.values).toBeGreaterThan(0);
  expect(filesWith(out, CANARY)).toEqual([]);
  expect(readFileSync(`${out}.values.jsonl`, "utf8")).toContain(`"seq":${outcome}`);
});

test("an operator erases what an execution left, and the runtime says that it was erased", async () => {
  expect(filesWith(place.state, CANARY)).not.toEqual([]);
  const proof = join(place.root, "proof");
  expect((await place.run(["audit", "prove", execution, "--out", proof])).code).toBe(0);
  const reason = "a request of 2026-11-25";
  const { code, stdout } = await place.run(["audit", "erase", execution, "--field", "/result", "--reason", reason]);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout).toContain(`erased /result/content of record ${outcome}, as record `);
  expect(filesWith(place.state, CANARY)).toEqual([]);
  const again = await place.run(["audit", "erase", execution, "--reason", reason]);
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain("FEMTO_VALUE_NOT_FOUND");

  const shown = await place.run(["executions", "show", execution]);
  expect(shown.stdout).toContain("erased: /result/content");
  expect(shown.stdout).toContain(reason);
  const { value } = await place.json<ExecutionView[]>(["executions", "list", "--all"]);
  const view = value.find(({ execution_id }) => execution_id === execution);
  expect(view).toMatchObject({ status: "completed", erased: ["/result/content"], record: { seq: outcome } });
  expect((await place.run(["executions", "list"])).stdout).toContain("(erased)");

  // What was proved of the record before is proved after it: its bytes are what they were.
  const { value: fresh } = await place.json<{ seq: number; record: string }>(["audit", "prove", execution]);
  expect(fresh.seq).toBe(outcome);
  expect(fresh.record).toBe(readFileSync(`${proof}.record`, "utf8"));
});

test("the log verifies and replays after it, while the host runs and when it has stopped", async () => {
  expect((await place.run(["audit", "verify"])).code).toBe(0);
  host.kill("SIGTERM");
  await host.ended;
  const stopped = await place.run(["audit", "verify"]);
  expect({ code: stopped.code, stderr: stopped.stderr }).toEqual({ code: 0, stderr: "" });
  expect((await place.run(["replay"])).code).toBe(0);
  const idle = await place.run(["audit", "erase", execution, "--reason", "x"]);
  expect(idle.code).toBe(69);
  expect(filesWith(place.state, CANARY)).toEqual([]);
});
