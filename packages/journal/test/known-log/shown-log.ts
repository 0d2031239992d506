/** A log in memory that can be copied, rolled back, forked and given other keys, and what it shows to a client. */
import { type Journal, Journal as Log, proveContinuation } from "@femtoclaw/journal";
import type { LogContinuation } from "@femtoclaw/protocol";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";
import { countingClock, MACHINES, message } from "../journal-fixture.ts";

export class ShownLog {
  readonly disk: MemoryDisk;
  readonly keyring: MemoryKeyring;
  readonly journal: Journal;

  private constructor(disk: MemoryDisk, keyring: MemoryKeyring, journal: Journal) {
    this.disk = disk;
    this.keyring = keyring;
    this.journal = journal;
  }

  static async open(disk = new MemoryDisk(), keyring = new MemoryKeyring()): Promise<ShownLog> {
    const store = new MemoryStore(disk);
    const journal = await Log.open({ store, keyring, boot: "boot", clock: countingClock(), machines: MACHINES });
    return new ShownLog(disk, keyring, journal);
  }

  async grow(records: number, content = "content"): Promise<void> {
    await Promise.all(
      Array.from({ length: records }, (_, index) => this.journal.append(message(`${content} ${index}`))),
    );
  }

  /** The disk as it is now, for a later log that goes back to it. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    copy.records.push(...this.disk.records);
    for (const [execution, seqs] of this.disk.index) copy.index.set(execution, [...seqs]);
    for (const [name, bytes] of this.disk.objects) copy.objects.set(name, bytes);
    return copy;
  }

  async show(from: number | null): Promise<LogContinuation> {
    await this.journal.checkpoint();
    return await proveContinuation(this.journal, from);
  }
}
