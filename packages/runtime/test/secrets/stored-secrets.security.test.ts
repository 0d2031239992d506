/** The file of stored secrets, on a full disk and after a kill: what the journal tells of it is so, and no value stays behind. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JournalEntry } from "@femtoclaw/journal";
import { replaceFile } from "@femtoclaw/journal/live";
import { HAS_SMALL_DISK, SmallDisk } from "@femtoclaw/testing";
import { expect, test } from "vitest";
import { Secrets } from "../../src/secrets/secrets.ts";
import { temporaryHome } from "../runtime-fixture.ts";

const SECRET = { name: "forge", host: "example.org", port: 443, value: "a-value-of-some-length" };
const BY = "uid:0";

test.runIf(HAS_SMALL_DISK)("no record tells of a secret for which there was no room", async () => {
  using disk = new SmallDisk(131_072);
  const told: string[] = [];
  const append = async ({ type }: JournalEntry) => ({ seq: told.push(type), ts: 0 });
  const secrets = new Secrets(
    disk.path,
    () => ({ append }) as never,
    () => undefined,
  );
  disk.fill();
  await expect(secrets.add(SECRET, BY)).rejects.toMatchObject({
    code: "FEMTO_SURROUNDINGS",
    message: expect.stringContaining("ENOSPC"),
  });
  expect([told, secrets.list, readdirSync(disk.path)]).toEqual([[], [], ["ballast"]]);

  disk.clear();
  await secrets.add(SECRET, BY);
  disk.fill();
  await expect(secrets.remove(SECRET.name, BY)).rejects.toMatchObject({ code: "FEMTO_SURROUNDINGS" });
  expect([told, secrets.list.length]).toEqual([["secret.added"], 1]);
  expect(readFileSync(join(disk.path, "secrets.json"), "utf8")).toContain(SECRET.value);
});

test("a secret whose record waits for room is not swept away, however long that takes", async () => {
  const home = temporaryHome();
  mkdirSync(home.state, { mode: 0o700 });
  const room = Promise.withResolvers<{ readonly seq: number }>();
  const secrets = new Secrets(
    home.state,
    () => ({ append: () => room.promise }) as never,
    () => undefined,
  );
  const added = secrets.add(SECRET, BY);
  await expect.poll(() => readdirSync(home.state)).toHaveLength(1);
  for (const name of readdirSync(home.state)) utimesSync(join(home.state, name), 1, 1);
  // As telemetry does, which keeps its place beside the secrets.
  await replaceFile(home.state, "other.json", "{}");
  room.resolve({ seq: 1 });
  await added;
  expect(readdirSync(home.state).sort()).toEqual(["other.json", "secrets.json"]);
});

test("what a killed host was writing goes with the next start, and nothing else does", async () => {
  const home = temporaryHome();
  await (await home.start()).close({ drainMs: 0 });
  const [left, awaited, own] = [`${randomUUID()}.next`, `${randomUUID()}.awaited`, "mine.next"];
  for (const name of [left, awaited, own]) writeFileSync(join(home.state, name), SECRET.value, { mode: 0o600 });
  await (await home.start()).close({ drainMs: 0 });
  expect(readdirSync(home.state)).toContain(own);
  for (const name of [left, awaited]) expect(readdirSync(home.state)).not.toContain(name);
});
