/** LevelDB on a real disk without room: what is acknowledged stays, what was promised is written, and it goes on. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "@femtoclaw/protocol";
import { HAS_SMALL_DISK, journalStoreSuite, SmallDisk } from "@femtoclaw/testing";
import { describe, expect, it } from "vitest";
import {
  checkJournal,
  DiskReserve,
  FileKeyring,
  Journal,
  LeveldbStore,
  MARGIN_BYTES,
  RESERVE_BYTES,
  ReopeningStore,
  systemClock,
  verifyDirectory,
} from "../src/index.ts";
import { CountingProjector, collect, countingClock, MACHINES, message } from "./journal-fixture.ts";

const MIB = 1_048_576;

class Home implements Disposable {
  readonly disk: SmallDisk;
  readonly journal: string;
  fulls = 0;

  constructor(bytes: number) {
    this.disk = new SmallDisk(bytes);
    this.journal = join(this.disk.path, "journal");
  }

  /** The store of a host: it gives the reserve up when the disk is full. */
  async boot(boot: string): Promise<{ readonly journal: Journal; readonly reserve: DiskReserve }> {
    for (const name of ["journal", "keys"]) await mkdir(join(this.disk.path, name), { recursive: true, mode: 0o700 });
    const reserve = await DiskReserve.open(this.disk.path);
    await reserve.take();
    const store = new ReopeningStore({
      create: () => new LeveldbStore(this.journal),
      clock: systemClock(),
      onFull: async () => {
        this.fulls += 1;
        await reserve.giveUp();
      },
    });
    const journal = await Journal.open({
      store,
      boot,
      clock: countingClock(),
      machines: MACHINES,
      projector: new CountingProjector(),
      keyring: new FileKeyring(join(this.disk.path, "keys")),
    });
    return { journal, reserve };
  }

  [Symbol.dispose](): void {
    this.disk[Symbol.dispose]();
  }
}

const large = (name: string): string => name.padEnd(LIMITS.outcomeBytes - 1_000, "x");

/** As many bytes as a host may have promised to write: an outcome for each place, of the greatest length. */
function promised(journal: Journal, round: string): Promise<unknown> {
  return Promise.all(
    Array.from({ length: LIMITS.outcomes }, (_, n) => journal.append(message(large(`${round}-${n}-`)))),
  );
}

async function namesIn(journal: Journal): Promise<string[]> {
  const records = await collect(journal.readFrom(0));
  const whole = await Promise.all(records.map((record) => journal.withValues(record)));
  return whole.flatMap(({ record: { body } }) => ("content" in body ? [(body.content ?? "").replace(/x+$/, "")] : []));
}

describe.runIf(HAS_SMALL_DISK)("a disk that is filled from outside", () => {
  it("keeps what was acknowledged, takes what was promised, and goes on when it has room", async () => {
    using home = new Home(RESERVE_BYTES + 4 * MARGIN_BYTES);
    const { journal, reserve } = await home.boot("boot-1");
    const expected: string[] = [];
    const note = (name: string) => (): void => void expected.push(name);
    // The writes before end at another place of LevelDB's files each time: in its log, its tables, its manifest.
    for (let round = 0; round < 6; round += 1) {
      for (let n = 0; n < 23 + 61 * round; n += 1) {
        const name = `before-${round}-${n}-`;
        await journal.append(message(large(name))).then(note(name));
      }
      const { fulls } = home;
      home.disk.fill();
      await promised(journal, `${round}`);
      expected.push(...Array.from({ length: LIMITS.outcomes }, (_, n) => `${round}-${n}-`));
      // Where LevelDB took tables of before away meanwhile, there was room without the reserve.
      expect(reserve.held).toBe(home.fulls === fulls);
      expect(await namesIn(journal)).toEqual(expected);
      home.disk.clear();
      // Without its history the disk would be too small for so many rounds.
      if (!(await reserve.take())) break;
    }
    expect(home.fulls).toBeGreaterThan(2);
    expect((await checkJournal(journal)).fault).toBeNull();
    await journal.checkpoint();
    await journal.close();
    expect(await verifyDirectory(home.journal)).toMatchObject({ fault: null, size: journal.size });
  });

  it("lets a journal be opened that was cut off there, while it is still full", async () => {
    using home = new Home(RESERVE_BYTES + 2 * MARGIN_BYTES);
    const first = await home.boot("boot-1");
    for (let n = 0; n < 500; n += 1) await first.journal.append(message(large(`${n}-`)));
    home.disk.fill();
    await first.journal.append(message(large("full-")));
    await first.journal.close();
    expect(first.reserve.held).toBe(false);
    home.disk.fill();
    // Not a byte is left, also not for what an opening writes again: this is said, and changes nothing.
    await expect(home.boot("boot-2")).rejects.toMatchObject({ code: "FEMTO_DISK_FULL" });
    home.disk.clear();
    const again = await home.boot("boot-3");
    expect(await namesIn(again.journal)).toHaveLength(501);
    expect((await checkJournal(again.journal)).fault).toBeNull();
    await again.journal.close();
  });
});

describe.runIf(HAS_SMALL_DISK)("a disk without a reserve", () => {
  it("makes those who write wait until somebody makes room", async () => {
    using home = new Home(8 * MIB);
    const { journal, reserve } = await home.boot("boot-1");
    expect(reserve.held).toBe(false);
    await journal.append(message("before"));
    home.disk.fill();
    let isDurable = false;
    const waiting = journal.append(message(large("waits-"))).then(() => {
      isDurable = true;
    });
    while (home.fulls < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(isDurable).toBe(false);
    home.disk.clear();
    await waiting;
    expect(await namesIn(journal)).toEqual(["before", "waits-"]);
    await journal.close();
  });
});

if (HAS_SMALL_DISK) {
  journalStoreSuite({
    name: "leveldb on a disk that can be filled",
    create: async () => {
      const disk = new SmallDisk(64 * MIB);
      return {
        store: () => new LeveldbStore(disk.path),
        inject: () => {
          disk.fill();
          return () => disk.clear();
        },
        dispose: async () => disk[Symbol.dispose](),
      };
    },
    faults: ["ENOSPC"],
    describe,
    it,
  });
}
