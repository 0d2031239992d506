/** A disk counts as having room only while the reserve is held, whenever it turns out to be full. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskReserve, systemClock } from "@femtoclaw/journal";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { DiskSpace } from "../../src/subsystems/disk-space.ts";

async function openSpace(): Promise<{ readonly space: DiskSpace; readonly states: string[]; readonly log: unknown[] }> {
  const folder = mkdtempSync(join(tmpdir(), "femtoclaw-space-"));
  const [states, log]: [string[], unknown[]] = [[], []];
  const space = await DiskSpace.open({
    folder,
    clock: systemClock(),
    onChange: (full) => states.push(full ?? "room"),
    log: (entry) => log.push(entry),
  });
  onTestFinished(async () => {
    await space.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { space, states, log };
}

const untilRoom = (space: DiskSpace): Promise<void> =>
  vi.waitFor(() => expect(space.full).toBeNull(), { timeout: 120_000 });

const untilReserve = (space: DiskSpace): Promise<void> =>
  vi.waitFor(() => expect(space.reserveBytes).toBeGreaterThan(0), { timeout: 120_000 });

describe("the disk of a state directory", () => {
  it("tells how large the journal's files are, and goes on where they are gone", async () => {
    const folder = mkdtempSync(join(tmpdir(), "femtoclaw-space-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const space = await DiskSpace.open({
      folder,
      clock: systemClock(),
      onChange: () => undefined,
      log: () => undefined,
    });
    expect(space.journalBytes).toBeNull();
    mkdirSync(join(folder, "journal"));
    expect(space.journalBytes).toBe(0);
    for (const name of ["000005.log", "000006.ldb"]) writeFileSync(join(folder, "journal", name), "x".repeat(1_000));
    symlinkSync("/nonexistent", join(folder, "journal", "gone"));
    expect(space.journalBytes).toBe(2_000);
    await space.stop();
  });

  it("is full until the reserve is taken again, and says so once each time", async () => {
    const { space, states } = await openSpace();
    expect(space.full).toBeNull();
    await untilReserve(space);
    await Promise.all([space.exhausted("first"), space.exhausted("second")]);
    expect([space.full, space.reserveBytes]).toEqual(["first", 0]);
    await untilRoom(space);
    expect(space.reserveBytes).toBeGreaterThan(0);
    expect(states).toEqual(["first", "room"]);
  });

  it("that is full again just when the reserve was taken is full", async () => {
    const { space, states } = await openSpace();
    await untilReserve(space);
    await space.exhausted("first");
    let again: Promise<void> | null = null;
    const original = DiskReserve.prototype.take;
    vi.spyOn(DiskReserve.prototype, "take").mockImplementationOnce(async function (this: DiskReserve) {
      const isTaken = await original.call(this);
      again = space.exhausted("second");
      return isTaken;
    });
    await vi.waitFor(() => expect(again).not.toBeNull(), { timeout: 120_000 });
    await again;
    expect([space.full, space.reserveBytes]).toEqual(["second", 0]);
    await untilRoom(space);
    expect(space.reserveBytes).toBeGreaterThan(0);
    expect(states.at(-1)).toBe("room");
  });

  it("that cannot be written to for another reason is full, and the log says why", async () => {
    const { space, log } = await openSpace();
    await untilReserve(space);
    vi.spyOn(DiskReserve.prototype, "take").mockRejectedValueOnce(new Error("the disk is away"));
    await space.exhausted("first");
    await vi.waitFor(() => expect(log).toHaveLength(1), { timeout: 120_000 });
    expect(log).toEqual([{ level: "warn", event: "reserve.failed", reason: "the disk is away" }]);
    await untilRoom(space);
  });

  it("is not watched any more once it was stopped", async () => {
    const { space, states } = await openSpace();
    await space.stop();
    await space.exhausted("late");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect([space.full, space.reserveBytes, states]).toEqual([null, 0, []]);
  });
});
