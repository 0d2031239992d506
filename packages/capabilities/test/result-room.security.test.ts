/** Output that an operator allows, and that has more bytes as JSON than a result may have. */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import type { JsonObject } from "../src/index.ts";
import { Playground } from "./playground.ts";

/** All that a configuration can allow. */
const LIMITS_OF_CALL = { limits: { outputBytes: LIMITS.outputCeilingBytes } };

/** A third of what a result holds, and twice of it as JSON. */
const LONG_BYTES = Math.ceil(LIMITS.resultBytes / 3);

async function resultOf(place: Playground, tool: string, args: JsonObject): Promise<JsonObject> {
  const outcome = await place.call(tool, args, LIMITS_OF_CALL);
  if (outcome?.event !== "succeeded") throw new Error(JSON.stringify(outcome));
  expect(Buffer.byteLength(JSON.stringify(outcome.result))).toBeLessThanOrEqual(LIMITS.resultBytes);
  return outcome.result;
}

test("of what a program wrote a result holds the first part", async () => {
  using place = new Playground();
  const script = `echo first; head -c ${LONG_BYTES} /dev/zero; echo it said this >&2`;
  const result = await resultOf(place, "process_exec", { bin: "sh", argv: ["-c", script] });
  expect(result).toMatchObject({ exit_code: 0, stderr: "it said this\n", truncated: true });
  expect(String(result["stdout"]).startsWith("first\n\0")).toBe(true);
});

test("a file that no result has room for is read in parts", async () => {
  using place = new Playground();
  place.file("long", Buffer.alloc(LONG_BYTES));
  const outcome = await place.call("fs_read", { path: "long" }, LIMITS_OF_CALL);
  const fix = expect.stringContaining("offset") as string;
  expect(outcome).toMatchObject({ event: "failed", code: "FEMTO_FILE_TOO_LARGE", fix });
  expect(await resultOf(place, "fs_read", { path: "long", length: 1_000_000 })).toMatchObject({ bytes: 1_000_000 });
});

test("a list ends where a result has no more room", async () => {
  using place = new Playground();
  const folder = join(place.workspace, "\u0001".repeat(250));
  mkdirSync(folder);
  for (let at = 0; at < 6_000; at += 1) closeSync(openSync(join(folder, `${"\u0001".repeat(240)}${at}`), "w"));
  const result = await resultOf(place, "fs_list", { path: ".", recursive: true });
  expect(result["truncated"]).toBe(true);
});
