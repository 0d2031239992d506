/**
 * Verifies a log from its first byte to its last, offline and without trusting its holder: every record, tile,
 * checkpoint and key. Hostile input leads to a verdict, never to an exception.
 */
import { errorText, FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import { AnswerCheck } from "../answers/answer-check.ts";
import type { LogKey } from "../keys/key-chain.ts";
import { RecordOrder } from "../records/record-order.ts";
import { encodeBase64 } from "../tree/base64.ts";
import { hashesOf, TILE_WIDTH, type Tile } from "../tree/tiles.ts";
import { CheckpointCheck, type HeldCheckpoint } from "./checkpoint-check.ts";
import { Finding } from "./finding.ts";
import { type LogSource, MissingPart } from "./log-source.ts";
import { PrunedLeaves } from "./pruned-leaves.ts";
import { RecordTree } from "./record-tree.ts";
import { blocksOf, type SegmentFindings, segmentsOf } from "./segment.ts";
import { LostThread, SegmentCheckers } from "./segment-checkers.ts";
import { ValueCheck, type ValueFault } from "./verify-values.ts";

/** What to verify, and what is known of the log from elsewhere. */
export interface VerifyOptions {
  readonly source: LogSource;
  /** A public key of the log that was kept elsewhere. Without one, a log can only be found consistent with itself. */
  readonly pinned?: string;
  /**
   * A signed note that was kept elsewhere. Without one, a log that was rolled back to an older copy of itself passes.
   */
  readonly checkpoint?: string;
  /**
   * Number of threads that check records beside the one that reads them; 0 for none. The verdict does not depend on it.
   */
  readonly threads?: number;
  /** Checkpoints that witnesses hold or cosigned. The log has to continue from each of them. */
  readonly held?: readonly HeldCheckpoint[];
}

/** The result of a verification. */
export interface LogVerdict {
  /** Number of valid records before the fault, or of all records if there is none. */
  readonly size: number;
  /** Root hash over these records, in base64. */
  readonly root: string;
  /** Size of the largest tree with a valid signature. */
  readonly signedSize: number;
  /** Size of the largest tree that a witness vouches for and that the log matches; null if no witness was asked. */
  readonly witnessedSize: number | null;
  /** Number of records after the last checkpoint, which nothing vouches for. */
  readonly unsignedTail: number;
  /** The keys that signed the log, oldest first. */
  readonly keys: readonly LogKey[];
  /** Number of operators' answers with a valid signature. */
  readonly signedAnswers: number;
  /** Whether the key that was kept elsewhere has signed the log; `absent` if none was given. */
  readonly pinned: "matches" | "differs" | "absent";
  /**
   * `tampered`: something contradicts the log. `incomplete`: a part is missing. `unverifiable`: a part is of a format
   * that this version does not know.
   */
  readonly verdict: "verified" | "tampered" | "incomplete" | "unverifiable";
  /** The first record that cannot be vouched for, and why. */
  readonly fault: { readonly seq: number; readonly reason: string } | null;
  /** Records below this number were pruned, and nothing else is wrong; 0 otherwise. */
  readonly prunedBefore: number;
  /** What could not be checked with what was given, in words for people. */
  readonly caveats: readonly string[];
}

/**
 * Verifies a whole log: every record, the tree over them, and each checkpoint, key, answer and value. Whatever is wrong
 * with the log becomes a verdict; an exception means only that a checking thread was lost.
 */
export async function verifyLog(options: VerifyOptions): Promise<LogVerdict> {
  const verification = new Verification(options);
  try {
    await verification.run();
    return verification.end("verified", null);
  } catch (error) {
    if (error instanceof LostThread) throw error;
    if (error instanceof Finding) return verification.end(error.verdict, error);
    if (error instanceof MissingPart) return verification.end("incomplete", { seq: error.seq, reason: error.message });
    const unknown = error instanceof FemtoError && error.code === "FEMTO_JOURNAL_FORMAT";
    return verification.end(unknown ? "unverifiable" : "tampered", { seq: null, reason: errorText(error) });
  } finally {
    await verification.close();
  }
}

const NO_KEY = "without a public key that was kept elsewhere, the log can only be shown to be consistent with itself";
const NO_CHECKPOINT =
  "without a checkpoint that was kept elsewhere, a log that was rolled back to an older copy of itself looks like one that never grew";

const theLast = (count: number): string => (count === 1 ? "the last record" : `the last ${count} records`);

const KEPT = { whose: "the checkpoint that was kept elsewhere", witnessed: false, elsewhere: true } as const;

class Verification {
  readonly #source: LogSource;
  readonly #pinned: string | undefined;
  readonly #held: readonly HeldCheckpoint[];
  readonly #threads: number | undefined;
  readonly #tree = new RecordTree();
  readonly #order = new RecordOrder();
  #missing: MissingPart | null = null;
  #prunedBefore = 0;
  readonly #values: ValueCheck;
  readonly #answers = new AnswerCheck();
  readonly #checkpoints: CheckpointCheck;

  constructor({ source, pinned, checkpoint, held = [], threads }: VerifyOptions) {
    this.#source = source;
    this.#values = new ValueCheck(source);
    this.#threads = threads;
    this.#pinned = pinned?.trim();
    const kept = checkpoint === undefined ? [] : [{ ...KEPT, note: checkpoint }];
    this.#held = [...kept, ...held];
    this.#checkpoints = new CheckpointCheck(source, this.#held, this.#tree);
  }

  async run(): Promise<void> {
    await this.#checkpoints.begin();
    const pruned = new PrunedLeaves(this.#source, await this.#source.prunedBefore());
    this.#values.pruned(pruned.before);
    await this.#records(pruned);
    await this.#ending();
    await this.#assertNoFault(this.#values.end());
    await this.#assertNoFault(pruned.fault);
    const { signedSize } = this.#checkpoints;
    if (this.#pinned !== undefined && signedSize > 0 && !this.#checkpoints.isSignedBy(this.#pinned)) {
      throw new Finding(0, "the log is vouched for by other keys than the known one");
    }
    if (this.#missing !== null) throw this.#missing;
    if (signedSize === 0) throw new MissingPart(0, "no checkpoint vouches for any record");
    if (pruned.missing === null) return;
    this.#prunedBefore = pruned.before;
    throw pruned.missing;
  }

  async close(): Promise<void> {
    await this.#values.close();
  }

  end(
    verdict: LogVerdict["verdict"],
    fault: { readonly seq: number | null; readonly reason: string } | null,
  ): LogVerdict {
    const { size } = this.#tree;
    const { signedSize, witnessedSize, chain } = this.#checkpoints;
    return {
      size,
      root: encodeBase64(this.#tree.root()),
      signedSize,
      witnessedSize,
      unsignedTail: size - signedSize,
      keys: chain?.keys ?? [],
      signedAnswers: this.#answers.signed,
      pinned: this.#pinnedVerdict(),
      verdict,
      prunedBefore: this.#prunedBefore,
      fault: fault === null ? null : { seq: fault.seq ?? size, reason: fault.reason },
      caveats: this.#caveats(),
    };
  }

  #pinnedVerdict(): LogVerdict["pinned"] {
    if (this.#pinned === undefined) return "absent";
    return this.#checkpoints.isSignedBy(this.#pinned) ? "matches" : "differs";
  }

  #caveats(): string[] {
    const { signedSize, witnessedSize } = this.#checkpoints;
    const unsigned = this.#tree.size - signedSize;
    const unwitnessed = witnessedSize === null ? 0 : this.#tree.size - witnessedSize;
    return [
      ...(this.#pinned === undefined ? [NO_KEY] : []),
      ...(this.#held.some(({ elsewhere }) => elsewhere) ? [] : [NO_CHECKPOINT]),
      ...(unwitnessed > 0
        ? [
            `no witness holds ${theLast(unwitnessed)}, so a change of ${unwitnessed === 1 ? "it" : "them"} by the holder of the key cannot be detected`,
          ]
        : []),
      ...(unsigned > 0
        ? [
            `no checkpoint covers ${theLast(unsigned)}, so it cannot be detected if more records followed and were removed`,
          ]
        : []),
      ...this.#values.caveats(),
      ...this.#answers.caveats(),
    ];
  }

  // INVARIANT: segments are checked in any order but judged in the order of the log, so that the first fault is
  // reported.
  async #records(pruned: PrunedLeaves): Promise<void> {
    await using checkers = new SegmentCheckers(this.#threads);
    const waiting: Promise<SegmentFindings | LostThread>[] = [];
    const judge = async (left: number): Promise<void> => {
      while (waiting.length > left) await this.#judge(await waiting.shift(), pruned);
    };
    const stretches = segmentsOf(pruned.fill(this.#source.records()));
    try {
      let reading = stretches.next();
      for (let stretch = await reading; !stretch.done; stretch = await reading) {
        if ("failure" in stretch.value) {
          await judge(0);
          throw stretch.value.failure;
        }
        // The next segment is read while this one is judged.
        reading = stretches.next();
        waiting.push(checkers.check(stretch.value.segment));
        await judge(checkers.window - 1);
      }
    } finally {
      await stretches.return(undefined);
    }
    await judge(0);
  }

  /** Judges everything about a segment that depends on what precedes it, in the order of its records. */
  async #judge(findings: SegmentFindings | LostThread | undefined, pruned: PrunedLeaves): Promise<void> {
    if (findings === undefined) return;
    if (findings instanceof LostThread) throw findings;
    const marked = [...findings.marked];
    for (const { first, block } of blocksOf(findings)) {
      this.#tree.take(block);
      const end = first + block.size;
      for (let next = marked[0]; next !== undefined && next.seq < end; next = marked[0]) {
        marked.shift();
        await this.#checkpoints.upTo(next.seq);
        this.#tree.advance(next.seq);
        this.#record(next);
        pruned.record(next);
        await this.#assertNoFault(this.#values.record(next));
      }
      await this.#checkpoints.upTo(end - 1);
      this.#tree.advance(end);
      for (const tile of this.#tree.fill()) await this.#tile(tile);
      await this.#checkpoints.upTo(end);
    }
    const { fault } = findings;
    if (fault === null) return;
    throw new Finding(this.#tree.size, fault.reason, fault.isUnknownFormat ? "unverifiable" : "tampered");
  }

  #record(record: TypedRecord): void {
    const { seq } = record;
    this.#order.follow(record);
    const fault = this.#snapshotFault(record);
    if (fault !== undefined) throw new Finding(seq, fault);
    const { origin } = this.#checkpoints.record(record);
    const wrong = this.#answers.record(record, origin);
    if (wrong !== undefined) throw new Finding(seq, wrong);
  }

  async #assertNoFault(check: ValueFault | undefined | Promise<ValueFault | undefined>): Promise<void> {
    const fault = await check;
    if (fault !== undefined) throw new Finding(fault.seq, fault.reason);
  }

  #snapshotFault(record: TypedRecord): string | undefined {
    if (record.type !== "snapshot.taken") return undefined;
    const { covers, tree } = record.body;
    const right =
      covers === record.seq - 1 && tree.size === record.seq && tree.root === encodeBase64(this.#tree.root());
    return right ? undefined : "the snapshot's tree is not that of the records before it";
  }

  async #tile({ level, index, bytes }: Tile): Promise<void> {
    const stored = await this.#source.tile(level, index);
    const span = TILE_WIDTH ** level;
    const first = index * TILE_WIDTH * span;
    if (stored === null) {
      this.#missing ??= new MissingPart(first, `tile ${index} of level ${level} is missing`);
      return;
    }
    if (bytes.equals(stored)) return;
    const [right, found] = [hashesOf(bytes) ?? [], hashesOf(stored) ?? []];
    const wrong = right.findIndex((hash, at) => Buffer.compare(hash, found[at] ?? Buffer.alloc(0)) !== 0);
    throw new Finding(first + Math.max(wrong, 0) * span, `tile ${index} of level ${level} is not that of its records`);
  }

  async #ending(): Promise<void> {
    const { size } = this.#tree;
    this.#checkpoints.end();
    const lastTile = await this.#source.lastTile();
    if (lastTile !== null && (lastTile + 1) * TILE_WIDTH > size) {
      throw new Finding(size, `tile ${lastTile} stands for records that the log does not hold`);
    }
    const fault = await this.#source.edgeFault(this.#tree.toTileTree());
    if (fault !== undefined) throw new Finding(this.#checkpoints.signedSize, fault);
  }
}
