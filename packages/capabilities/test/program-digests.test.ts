import { createHash } from "node:crypto";
import { appendFileSync, closeSync, openSync, statSync } from "node:fs";
import { expect, it } from "vitest";
import { digestOf } from "../src/facts/program-digests.ts";
import { ProgramDigests } from "../src/index.ts";
import { Playground } from "./playground.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const version = (changedNs: bigint) => ({ device: 1n, inode: 2n, size: 3n, modifiedNs: 4n, changedNs });

it("remembers a file that has settled, and reads a fresh one again although it looks the same", async () => {
  using place = new Playground();
  const [one, two] = ["one", "two"].map((name) => openSync(place.file(name, name), "r")) as [number, number];
  const digests = new ProgramDigests();
  expect(await digests.of(one, version(5n))).toBe(sha256("one"));
  expect(await digests.of(two, version(5n))).toBe(sha256("one"));
  expect(await digests.of(two, version(6n))).toBe(sha256("two"));
  const now = BigInt(Date.now()) * 1_000_000n;
  expect(await digests.of(one, version(now))).toBe(sha256("one"));
  expect(await digests.of(two, version(now))).toBe(sha256("two"));
  for (const descriptor of [one, two]) closeSync(descriptor);
});

it("forgets a failure and the oldest programs", async () => {
  using place = new Playground();
  const digests = new ProgramDigests();
  await expect(digests.of(1_000_000, version(5n))).rejects.toThrow("ENOENT");
  const [one, two] = ["one", "two"].map((name) => openSync(place.file(name, name), "r")) as [number, number];
  expect(await digests.of(one, version(5n))).toBe(sha256("one"));
  for (let number = 10n; number < 600n; number += 1n) await digests.of(one, version(number));
  expect(await digests.of(two, version(5n))).toBe(sha256("two"));
  for (const descriptor of [one, two]) closeSync(descriptor);
});

it("digests no more of a growing file than it is asked to, however fast it grows", async () => {
  using place = new Playground();
  // More than one chunk, so that the file grows between two reads.
  const first = Buffer.alloc(3_000_000, "a");
  const path = place.file("growing", first);
  const descriptor = openSync(path, "r");
  let isOver = false;
  const growing = (async () => {
    for (let times = 0; !isOver && times < 10_000; times += 1) {
      appendFileSync(path, Buffer.alloc(65_536, "b"));
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const digests = [];
  for (let times = 0; times < 5; times += 1) digests.push(await digestOf(descriptor, first.length));
  isOver = true;
  await growing;
  closeSync(descriptor);
  expect(new Set(digests)).toEqual(new Set([createHash("sha256").update(first).digest("hex")]));
  expect(statSync(path).size).toBeGreaterThan(first.length);
});

it("digests what a file holds when it is shorter than was said", async () => {
  using place = new Playground();
  const descriptor = openSync(place.file("short", "one"), "r");
  expect(await digestOf(descriptor, 1_000_000)).toBe(sha256("one"));
  expect(await digestOf(descriptor, 2)).toBe(sha256("on"));
  expect(await digestOf(descriptor, 0)).toBe(sha256(""));
  closeSync(descriptor);
});
