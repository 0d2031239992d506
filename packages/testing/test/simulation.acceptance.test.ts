/** The simulation finds nothing in an honest world, finds a disk that lies, and follows from its seed alone. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Divergence } from "../src/simulation/oracle.ts";
import { simulate } from "../src/simulation/simulate.ts";

const MAIN = join(import.meta.dirname, "../src/simulation/main.ts");
const HONEST = { kept: 300, refused: 2, unanswered: 2, torn: 1, lied: 0 };

async function inProcess(env: Readonly<Record<string, string>>): Promise<string> {
  const options = { env: { ...process.env, ...env } };
  return (await promisify(execFile)(process.execPath, [MAIN, "--seed", "77", "--rounds", "6"], options)).stdout;
}

async function divergenceOf(...[options]: Parameters<typeof simulate>): Promise<string> {
  const error: unknown = await simulate(options).catch((thrown: unknown) => thrown);
  if (!(error instanceof Divergence)) throw new Error("nothing was found", { cause: error });
  return error.message;
}

describe("a simulation", () => {
  // A little of what `npm run simulate` does for as long as it is told.
  it("of many lives loses nothing, repeats nothing and leaves nothing open", { timeout: 600_000 }, async () => {
    const report = await simulate({ seed: 1, rounds: 160 });
    expect(report.rounds).toBe(160);
    // Fewer would mean that something does not happen any more.
    expect(report.acknowledged).toBeGreaterThan(200);
    expect(report.effects).toBeGreaterThan(80);
    expect(report.interrupted).toBeGreaterThan(12);
    expect(report.granted).toBeGreaterThan(12);
    expect(report.agreed).toBeGreaterThan(4);
    expect(report.crashes).toBeGreaterThan(32);
    expect(report.faults).toBeGreaterThan(2);
    expect(report.rootsCompared).toBeGreaterThan(12);
  });

  it("gives the same logs in another process, time zone and language", async () => {
    const here = await inProcess({ TZ: "UTC", LC_ALL: "C" });
    expect(here).toMatch(/^roots +[0-9a-f]{64}$/m);
    expect(await inProcess({ TZ: "Pacific/Apia", LC_ALL: "tr_TR.UTF-8" })).toBe(here);
  });

  it.each([
    ["loses a write and says nothing", { ...HONEST, kept: 30, lied: 1 }],
    ["loses most writes and says nothing", { ...HONEST, kept: 1, lied: 4 }],
  ])("finds a disk that %s, and leads there again by what it says", async (_, weights) => {
    const message = await divergenceOf({ seed: 5, rounds: 200, weights });
    const again = /; once more: npm run simulate -- --seed (\d+) --rounds (\d+)$/.exec(message);
    const options = { seed: Number(again?.[1]), rounds: Number(again?.[2]), weights };
    expect(await divergenceOf(options)).toBe(message);
  });
});
