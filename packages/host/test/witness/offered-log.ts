/** A log in memory that offers its checkpoints, and copies of it that grow apart. */
import { randomUUID } from "node:crypto";
import { Journal, proveConsistency, readKeyChain, systemClock } from "@femtoclaw/journal";
import { MACHINE_IDENTITIES } from "@femtoclaw/machines";
import type { CheckpointOffer } from "@femtoclaw/runtime";
import { MemoryDisk, MemoryKeyring, MemoryStore } from "@femtoclaw/testing/in-memory";

export class OfferedLog {
  readonly journal: Journal;
  readonly #disk: MemoryDisk;
  readonly #keyring: MemoryKeyring;

  private constructor(journal: Journal, disk: MemoryDisk, keyring: MemoryKeyring) {
    this.journal = journal;
    this.#disk = disk;
    this.#keyring = keyring;
  }

  static async open(disk = new MemoryDisk(), keyring = new MemoryKeyring()): Promise<OfferedLog> {
    let ticks = 0;
    const clock = { nowUs: () => 1_700_000_000_000_000, monotonicUs: () => ++ticks, after: systemClock().after };
    const journal = await Journal.open({
      store: new MemoryStore(disk),
      keyring,
      boot: randomUUID(),
      clock,
      machines: MACHINE_IDENTITIES,
    });
    return new OfferedLog(journal, disk, keyring);
  }

  /** What somebody has who copied the disk and the key just now. */
  async copy(): Promise<OfferedLog> {
    await this.journal.checkpoint();
    const disk = new MemoryDisk();
    disk.records.push(...this.#disk.records);
    for (const [name, bytes] of this.#disk.objects) disk.objects.set(name, bytes);
    return await OfferedLog.open(disk, this.#keyring);
  }

  async vkey(): Promise<string> {
    return (await readKeyChain(this.journal)).current;
  }

  async grow(count: number, content = "m"): Promise<this> {
    const entry = { type: "message.recorded", session: "s", execution: null, body: { content } } as const;
    await Promise.all(Array.from({ length: count }, () => this.journal.append(entry)));
    return this;
  }

  /** The newest checkpoint, for a witness that is known to hold so many records. */
  async offer(knownSize = 0, signal = new AbortController().signal): Promise<CheckpointOffer> {
    const note = await this.journal.checkpoint();
    const keys = await readKeyChain(this.journal);
    const checkpoint = keys.openCheckpoint(note);
    if (typeof checkpoint === "string") throw new Error(checkpoint);
    const prove = (heldSize: number) => proveConsistency(this.journal, heldSize, checkpoint.size);
    return { note, checkpoint, knownSize, open: (held) => keys.openCheckpoint(held), prove, signal };
  }
}
