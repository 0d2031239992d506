/** Files as long as they may be, of a proposer who wants the host to do nothing else: it looks at them a part at a time. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { JsonObject } from "../src/capability.ts";
import { PART_BYTES } from "../src/files/pace.ts";
import { Playground } from "./playground.ts";

const MIB = 1024 * 1024;
/** What costs a search most: it is nearly there, everywhere. */
const NEARLY = `${"a".repeat(1_000)}b`;

/** Turns that come when they are given. */
class Turns {
  asked = 0;
  #given: (() => void) | null = null;
  readonly turn = (): Promise<void> => {
    this.asked += 1;
    return new Promise((resolve) => {
      this.#given = resolve;
    });
  };

  /** Gives one after the other until the call has ended; in between `look` is called. */
  async giveUntil(ended: Promise<unknown>, look: () => void): Promise<void> {
    let isOver = false;
    void ended.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      look();
      this.#given?.();
      this.#given = null;
      await new Promise(setImmediate);
    }
  }
}

test.each([
  ["fs_edit", { path: "out/long", old: NEARLY, new: "x" }, 16 * MIB, "FEMTO_CAPABILITY_FAILED"],
  ["fs_edit", { path: "out/long", old: "only here", new: "x" }, 16 * MIB - 16, undefined],
  ["fs_search", { path: "out/long", pattern: NEARLY }, 4 * MIB, undefined],
])("%s asks for a turn for each part", async (tool, args, bytes, code) => {
  using place = new Playground();
  const content = Buffer.alloc(bytes, "a");
  if (code === undefined) content.write("only here", bytes / 2);
  place.file("out/long", content);
  const turns = new Turns();
  const call = place.call(tool, args, { turn: turns.turn });
  await turns.giveUntil(call, () => undefined);
  expect(await call).toMatchObject(code === undefined ? { event: "succeeded" } : { event: "failed", code });
  expect(turns.asked).toBeGreaterThanOrEqual(bytes / PART_BYTES - 1);
  if (tool !== "fs_edit" || code !== undefined) return;
  const after = readFileSync(`${place.workspace}/out/long`);
  expect(
    after.equals(Buffer.concat([content.subarray(0, bytes / 2), Buffer.from("x"), content.subarray(bytes / 2 + 9)])),
  ).toBe(true);
});

test("fs_search asks for a turn for each part of the lines that it counts", async () => {
  using place = new Playground();
  const content = Buffer.alloc(4 * MIB, "\n");
  content.write("only here", content.length - 9);
  place.file("out/lines", content);
  const turns = new Turns();
  const call = place.call("fs_search", { path: "out/lines", pattern: "only here" }, { turn: turns.turn });
  await turns.giveUntil(call, () => undefined);
  const matches = [{ name: "", line: content.length - 8, text: "only here" }];
  expect(await call).toMatchObject({ event: "succeeded", result: { matches } });
  // It looks for the text, and then for the ends of lines before it.
  expect(turns.asked).toBeGreaterThanOrEqual((2 * content.length) / PART_BYTES - 2);
});

test.each<[string, JsonObject]>([
  ["fs_list", { path: "out", recursive: true }],
  ["fs_list", { path: "out/0" }],
  ["fs_move", { from: "out", to: "elsewhere" }],
  ["fs_search", { path: "out", pattern: "nothing of it" }],
])("%s asks for a turn for every few names, however they lie in folders", async (tool, args) => {
  using place = new Playground();
  const isOne = !("recursive" in args) && tool === "fs_list";
  for (let at = 0; at < 400; at += 1) place.file(isOne ? `out/0/${at}` : `out/${at % 40}/${at}`, "");
  const turns = new Turns();
  const call = place.call(tool, args, { turn: turns.turn });
  await turns.giveUntil(call, () => undefined);
  expect(await call).not.toBeNull();
  expect(turns.asked).toBeGreaterThanOrEqual(isOne ? 4 : 20);
});

test("fs_edit holds no file as a whole", async () => {
  using place = new Playground();
  const content = Buffer.alloc(16 * MIB, "a");
  content.write("only here", 8 * MIB);
  place.file("out/long", content);
  const turns = new Turns();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const call = place.call("fs_edit", { path: "out/long", old: "only here", new: "x" }, { turn: turns.turn });
  await turns.giveUntil(call, () => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  });
  expect(await call).toMatchObject({ event: "succeeded" });
  expect(most).toBeLessThan(4 * MIB);
});

test("what becomes of a file between two parts is noticed", async () => {
  using place = new Playground();
  const path = place.file("out/long", `${"a".repeat(MIB)}only here${"a".repeat(MIB)}`);
  const turns = new Turns();
  const call = place.call("fs_edit", { path: "out/long", old: "only here", new: "x" }, { turn: turns.turn });
  await turns.giveUntil(call, () => {
    if (turns.asked === 40) place.file("out/long", `${"b".repeat(MIB)}only here${"a".repeat(MIB)}`);
  });
  expect(await call).toMatchObject({ event: "failed", code: "FEMTO_FILE_CHANGED" });
  expect(readFileSync(path, "utf8").startsWith("b")).toBe(true);
});

test("a call that nobody wants any more ends between two parts", async () => {
  using place = new Playground();
  place.file("out/long", Buffer.alloc(4 * MIB, "a"));
  const turns = new Turns();
  const stopped = new AbortController();
  const { signal } = stopped;
  const call = place.call("fs_search", { path: "out/long", pattern: NEARLY }, { turn: turns.turn, signal });
  await turns.giveUntil(call, () => {
    if (turns.asked === 10) stopped.abort();
  });
  expect(await call).toMatchObject({ event: "cancelled" });
  expect(turns.asked).toBeLessThan(20);
});
