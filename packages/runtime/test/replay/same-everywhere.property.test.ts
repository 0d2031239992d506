/** The same export gives the same states and the same root, in whichever process, zone, locale and order of keys. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { testedProgram } from "@femtoclaw/testing";
import { beforeAll, expect, it } from "vitest";
import { type ExportedLog, exportLog } from "./exported-log.ts";

const SCRIPT = testedProgram(join(import.meta.dirname, "replay-export.ts"));

let log: ExportedLog;

beforeAll(async () => {
  log = await exportLog();
  return () => log.home.remove();
});

interface Replayed {
  readonly root: string;
  readonly verdict: string;
  readonly snapshotsEqual: number;
  readonly recomputed: string | null;
  readonly states: object;
  readonly surroundings: object;
}

async function replayed(locale: string, zone: string, seed = ""): Promise<Replayed> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, TZ: zone, LANG: locale, LC_ALL: locale };
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, log.folder, seed], {
    env,
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout) as Replayed;
}

it("does not depend on process, time zone, locale or the order of keys", async () => {
  const one = await replayed("C.UTF-8", "UTC");
  expect(one).toMatchObject({ verdict: "verified", snapshotsEqual: 1, recomputed: "recomputed" });
  const others = [
    await replayed("C.UTF-8", "UTC"),
    await replayed("de_DE.UTF-8", "Pacific/Kiritimati"),
    await replayed("tr_TR.UTF-8", "America/St_Johns"),
    await replayed("ar_EG.UTF-8", "Asia/Kathmandu", "7"),
    await replayed("C.UTF-8", "UTC", "1234567"),
  ];
  for (const { root, verdict, snapshotsEqual, states } of others) {
    expect({ root, verdict, snapshotsEqual }).toEqual({ root: one.root, verdict: "verified", snapshotsEqual: 1 });
    expect(JSON.stringify(states)).toBe(JSON.stringify(one.states));
  }
  expect(others.map(({ recomputed }) => recomputed)).toEqual(["recomputed", "recomputed", "recomputed", null, null]);
  // The surroundings were other ones indeed.
  expect(new Set(others.map(({ surroundings }) => JSON.stringify(surroundings))).size).toBe(4);
});
