/**
 * Compares a log with every checkpoint of it, both those stored with the log and those that others kept. Each is
 * compared with the tree of the size that it names, under the keys in force at that size.
 */
import type { TypedRecord } from "@femtoclaw/protocol";
import { KeyChain, type SignedCheckpoint } from "../keys/key-chain.ts";
import { Finding } from "./finding.ts";
import type { LogSource } from "./log-source.ts";
import type { RecordTree } from "./record-tree.ts";

/** A signed checkpoint that somebody kept apart from the log. */
export interface HeldCheckpoint {
  readonly note: string;
  /** Who kept it, in words for people. */
  readonly whose: string;
  /** Whether a witness vouches for it, so that the records up to its size count as witnessed. */
  readonly witnessed: boolean;
  /** Whether it was kept where the holder of the log could not change it. */
  readonly elsewhere: boolean;
}

interface ExpectedCheckpoint {
  readonly size: number;
  readonly note: () => Promise<string | null>;
  readonly whose: string;
  readonly witnessed: boolean;
}

export class CheckpointCheck {
  readonly #source: LogSource;
  readonly #held: readonly HeldCheckpoint[];
  readonly #tree: RecordTree;
  readonly #signers = new Set<string>();
  #chain: KeyChain | null = null;
  /** Keys that were retired but have not yet signed a checkpoint together with their successor. */
  #unbridged: string[] = [];
  /** Checkpoints that are still to be judged, the smallest first. */
  #expected: ExpectedCheckpoint[] = [];
  #signedSize = 0;
  #witnessedSize: number | null;

  /** `tree` covers the log as far as it has been read. A checkpoint is judged when the tree has reached its size. */
  constructor(source: LogSource, held: readonly HeldCheckpoint[], tree: RecordTree) {
    this.#source = source;
    this.#held = held;
    this.#tree = tree;
    this.#witnessedSize = held.some(({ witnessed }) => witnessed) ? 0 : null;
  }

  /** Keys of the log so far; null before its first record. */
  get chain(): KeyChain | null {
    return this.#chain;
  }

  /** Size of the largest tree with a valid signature. */
  get signedSize(): number {
    return this.#signedSize;
  }

  /** Size of the largest tree that a witness vouches for; null if no witness was asked. */
  get witnessedSize(): number | null {
    return this.#witnessedSize;
  }

  isSignedBy(vkey: string): boolean {
    return this.#signers.has(vkey);
  }

  async begin(): Promise<void> {
    const sizes = await this.#source.checkpoints();
    const stored = sizes.map((size): ExpectedCheckpoint => {
      return { size, note: () => this.#source.checkpoint(size), whose: "the checkpoint", witnessed: false };
    });
    const held = this.#held.map(({ note, whose, witnessed }): ExpectedCheckpoint => {
      // This only tells when to judge the note. Whether the note is valid is checked then.
      const size = Number(/^[^\n]*\n([0-9]{1,16})\n/.exec(note)?.[1] ?? Number.NaN);
      return { size, note: async () => note, whose, witnessed };
    });
    const expected = [...stored, ...held];
    for (const { size, whose } of expected) {
      if (!Number.isSafeInteger(size) || size < 1) throw new Finding(0, `${whose} names no size`);
    }
    this.#expected = expected.sort((left, right) => left.size - right.size);
  }

  /** Takes the keys that a record introduces or retires; returns the key chain in force after it. */
  record(record: TypedRecord): KeyChain {
    const { seq } = record;
    if (this.#chain === null) this.#chain = KeyChain.begin(record);
    else if (record.type === "log.created") throw new Finding(seq, "a log is created once");
    else if (record.type === "key.rotated") {
      this.#chain.extend(record);
      this.#unbridged.push(record.body.retired_vkey);
    }
    return this.#chain;
  }

  /** Judges all checkpoints up to this size. */
  async upTo(size: number): Promise<void> {
    for (let next = this.#expected[0]; next !== undefined && next.size <= size; next = this.#expected[0]) {
      this.#expected.shift();
      this.#tree.advance(next.size);
      await this.#checkpoint(next);
    }
  }

  async #checkpoint(expected: ExpectedCheckpoint): Promise<void> {
    const { size, whose, witnessed } = expected;
    // The records below the last valid signature are vouched for, so whatever is wrong comes after them.
    const refuse = (reason: string): never => {
      throw new Finding(this.#signedSize, `${whose} of size ${size} does not count: ${reason}`);
    };
    const note = (await expected.note()) ?? refuse("it is missing");
    const checkpoint = this.#chain?.openCheckpoint(note) ?? "the log has no key";
    if (typeof checkpoint === "string") return refuse(checkpoint);
    if (checkpoint.size !== size || Buffer.compare(checkpoint.root, this.#tree.root()) !== 0) {
      refuse(`it vouches for other records${await this.#other()}`);
    }
    this.#bridge(checkpoint, refuse);
    for (const signer of checkpoint.signers) this.#signers.add(signer);
    this.#signedSize = size;
    if (witnessed) this.#witnessedSize = size;
  }

  /**
   * Which record it may be, to help with the search: a changed record may differ from the hash that is still stored
   * for it. Nobody has signed that hash, so it proves nothing and decides nothing here.
   */
  async #other(): Promise<string> {
    const newest = this.#tree.newest;
    const first = this.#tree.size - newest.length;
    const stored = newest.length === 0 ? null : await this.#source.leaves(first, newest.length);
    const other = newest.findIndex((hash, at) => Buffer.compare(hash, stored?.[at] ?? hash) !== 0);
    return other < 0 ? "" : `; record ${first + other} is not the one that a hash is stored for`;
  }

  /** A new key counts because the old key has signed a checkpoint together with it, not because a record says so. */
  #bridge({ signers }: SignedCheckpoint, refuse: (reason: string) => never): void {
    if (!this.#unbridged.every((vkey) => signers.includes(vkey))) {
      refuse("the key that was retired before it has not signed it");
    }
    this.#unbridged = [];
  }

  /** Throws if a checkpoint vouches for more records than there are. */
  end(): void {
    const { size } = this.#tree;
    const [beyond] = this.#expected;
    if (beyond === undefined) return;
    throw new Finding(size, `${beyond.whose} vouches for ${beyond.size} records, and the log holds ${size}`);
  }
}
