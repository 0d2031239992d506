import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { expect, it } from "vitest";
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
