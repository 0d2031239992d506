/**
 * The keys that vouch for a log, as its own records name them: the first record names the first key, and each rotation
 * the next. A checkpoint counts only if the key in force at its size has signed it.
 */
import { hash, type KeyObject } from "node:crypto";
import { FemtoError, type TypedRecord } from "@femtoclaw/protocol";
import { type Checkpoint, parseCheckpoint } from "../tree/checkpoint.ts";
import { type NoteVerifier, openNote, parseVerifierKey, rawKey, verifierKey } from "../tree/signed-note.ts";

/** A key of a log and the sizes of the trees that it may sign. */
export interface LogKey {
  /** The public key in the form `origin+id+key`. */
  readonly vkey: string;
  /** Size of the smallest tree that it may sign. */
  readonly fromSize: number;
  /** Size from which on its successor is in force, and the largest that it signs itself; null for the key in force. */
  readonly retiredAtSize: number | null;
}

/** A checkpoint whose signature was found valid. */
export interface SignedCheckpoint extends Checkpoint {
  /** Keys of this log with a valid signature, among them the one in force. */
  readonly signers: readonly string[];
}

type RotationRecord = TypedRecord & { readonly type: "key.rotated" };

/** A log is named after its first key, so that nobody can begin another log of this name without that key. */
export function originOf(publicKey: KeyObject): string {
  const named = Buffer.concat([Buffer.from("femtoclaw log\n"), rawKey(publicKey)]);
  return `femtoclaw.local/${hash("sha256", named).slice(0, 32)}`;
}

/** The keys of one log, from the one that it is named after to the one in force. */
export class KeyChain {
  readonly origin: string;
  /** Each key with its text form, because producing that takes longer than reading a checkpoint. */
  readonly #keys: { readonly verifier: NoteVerifier; readonly vkey: string; readonly fromSize: number }[];

  private constructor(origin: string, verifier: NoteVerifier) {
    this.origin = origin;
    this.#keys = [{ verifier, vkey: verifierKey(verifier), fromSize: 1 }];
  }

  /** Begins with record 0 of a journal; throws FEMTO_JOURNAL_CORRUPT for any other record. */
  static begin(first: TypedRecord): KeyChain {
    if (first.type !== "log.created") throw corrupt(first, `a log begins with log.created, not with ${first.type}`);
    const { origin, vkey } = first.body;
    const verifier = keyOf(first, vkey, origin);
    if (originOf(verifier.publicKey) !== origin) throw corrupt(first, "the log is not named after its key");
    return new KeyChain(origin, verifier);
  }

  /** Takes a rotation; throws FEMTO_JOURNAL_CORRUPT if it does not follow from the keys so far. */
  extend(record: RotationRecord): void {
    const { vkey, retired_vkey: retired } = record.body;
    const verifier = keyOf(record, vkey, this.origin);
    if (retired !== this.current) throw corrupt(record, "it retires a key that is not in force");
    if (this.keys.some((known) => known.vkey === vkey)) throw corrupt(record, "a retired key does not come back");
    this.#keys.push({ verifier, vkey, fromSize: record.seq + 1 });
  }

  /** The key in force. */
  get current(): string {
    return this.#keys.at(-1)?.vkey ?? "";
  }

  get keys(): readonly LogKey[] {
    return this.#keys.map(({ vkey, fromSize }, index) => ({
      vkey,
      fromSize,
      retiredAtSize: this.#keys[index + 1]?.fromSize ?? null,
    }));
  }

  /** The key that vouches for a tree of this size. */
  inForceAt(size: number): LogKey | undefined {
    return this.keys.findLast(({ fromSize }) => fromSize <= size);
  }

  // INVARIANT: a retired key signs no larger tree: a checkpoint without a signature by the key in force is worthless.
  /** The content of a signed note, or a text that says why the note does not count. */
  openCheckpoint(note: string): SignedCheckpoint | string {
    const opened = openNote(
      note,
      this.#keys.map(({ verifier }) => verifier),
    );
    if (opened === null) return "it has no right signature by a key of this log";
    const checkpoint = parseCheckpoint(opened.text);
    if (checkpoint === null) return "it is not made of the three lines origin, size and root";
    if (checkpoint.origin !== this.origin) return `it is of another log, ${checkpoint.origin}`;
    const signers = opened.signers.map((signer) => this.#keys.find(({ verifier }) => verifier === signer)?.vkey ?? "");
    if (signers.includes(this.inForceAt(checkpoint.size)?.vkey ?? "")) return { ...checkpoint, signers };
    return `it is of size ${checkpoint.size} and signed by a key that is not in force there`;
  }
}

function keyOf(record: TypedRecord, vkey: string, origin: string): NoteVerifier {
  const verifier = parseVerifierKey(vkey);
  if (verifier?.name === origin && verifierKey(verifier) === vkey) return verifier;
  throw corrupt(record, "it names no Ed25519 key of this log");
}

function corrupt({ seq }: TypedRecord, reason: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", `record ${seq}: ${reason}`);
}
