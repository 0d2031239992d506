/**
 * What a journal checks before it opens: its first and last record, its keys, its tree and its newest checkpoint. Time
 * and memory do not grow with the number of records; use `verifyLog` to check all of them.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { FemtoError, printable, RECORD_FORMAT, type TypedRecord, VERSION } from "@femtoclaw/protocol";
import type { Clock } from "./clock.ts";
import type { JournalOptions, KnownRecord } from "./journal-options.ts";
import { type LogReader, StoreReader } from "./journal-reader.ts";
import { KeyChain, originOf } from "./keys/key-chain.ts";
import type { Keyring } from "./keys/keyring.ts";
import { type Checkpointed, Notary } from "./notary.ts";
import type { Frames } from "./records/frames.ts";
import { CHECKPOINTS, numberOfName } from "./records/object-name.ts";
import { encodeRecord } from "./records/record.ts";
import type { JournalStore } from "./store/store.ts";
import { rootOf } from "./tree/proof.ts";
import { noteSigner, verifierKey } from "./tree/signed-note.ts";
import type { TileTree } from "./tree/tiles.ts";
import { growTree, restoreTree } from "./tree-log.ts";

interface OpeningOptions
  extends Pick<JournalOptions, "store" | "keyring" | "parent" | "ownOrigin" | "onCreated" | "known"> {
  /** Number of records that the store holds. */
  readonly size: number;
  readonly clock: Clock;
  readonly frames: Frames;
}

export interface OpenedLog {
  readonly tree: TileTree;
  readonly origin: string;
  readonly notary: Notary;
  /** Whether a crash interrupted a rotation whose record is durable. The journal then finishes it. */
  readonly rotating: boolean;
}

interface KeysInForce {
  readonly key: KeyObject;
  /** The previous key, while a rotation is not finished. */
  readonly retiring: KeyObject | null;
}

export async function openLog(options: OpeningOptions): Promise<OpenedLog> {
  const { store, size, keyring, clock, known = null } = options;
  const latest = await newestCheckpoint(store, size);
  const tree = await restoreTree(store, size);
  if (size === 0 && known !== null) throw rolledBack(known);
  if (size === 0) await createLog(options, tree);
  const reader = new StoreReader(store, tree.size);
  // A future record format is refused before this version's rules judge anything else.
  await recordAt(reader, tree.size - 1);
  const chain = await readKeyChain(reader);
  if (latest !== null) await assertVouchedFor(reader, chain, latest);
  if (known !== null) await assertHolds(reader, known);
  const { key, retiring } = await keysInForce(keyring, chain);
  const signers = [key, ...(retiring === null ? [] : [retiring])].map((each) => noteSigner(chain.origin, each));
  const notary = new Notary({ origin: chain.origin, signers, latest, clock });
  return { tree, origin: chain.origin, notary, rotating: retiring !== null };
}

/** INVARIANT: the log's name and key are its first record, durable before any other record gets a number. */
async function createLog(options: OpeningOptions, tree: TileTree): Promise<void> {
  const { store, keyring, parent = null, ownOrigin, onCreated, frames } = options;
  let key = await keyring.current();
  // INVARIANT: I7: one key signs one log, so a key that may have signed another log begins none here.
  const isOwn = key !== null && (ownOrigin === undefined || originOf(createPublicKey(key)) === ownOrigin);
  if (key === null || !isOwn) key = await firstKey(keyring);
  const origin = originOf(createPublicKey(key));
  await onCreated?.(origin);
  const vkey = verifierKey(noteSigner(origin, key));
  const body = { origin, vkey, format: RECORD_FORMAT, version: VERSION, parent };
  const record: TypedRecord = {
    ...frames.of(0, "memory"),
    type: "log.created",
    actor: null,
    session: null,
    execution: null,
    body,
  };
  const records = [encodeRecord(record)];
  await store.append({ expectedSize: 0, records, index: [], objects: growTree(tree, records) });
}

async function firstKey(keyring: Keyring): Promise<KeyObject> {
  const key = await keyring.prepare();
  await keyring.install();
  return key;
}

async function assertHolds(reader: StoreReader, known: KnownRecord): Promise<void> {
  const prunedBefore = await reader.prunedBefore();
  if (known.seq < prunedBefore) {
    // The known boot may have pruned its own first record. Then what is left begins with a later record of that boot.
    if ((await recordAt(reader, prunedBefore)).boot !== known.boot) throw rolledBack(known);
    return;
  }
  const record = known.seq < reader.size ? await recordAt(reader, known.seq) : null;
  if (record?.type !== "boot.started" || record.boot !== known.boot) throw rolledBack(known);
}

/**
 * INVARIANT: I7: a journal that was rolled back to an older state is not continued, because one key would then sign two
 * histories.
 */
function rolledBack({ seq, boot }: KnownRecord): FemtoError {
  const reason = `the journal does not hold record ${seq}, with which boot ${printable(boot, 64)} began in this directory`;
  return new FemtoError("FEMTO_STATE_ROLLED_BACK", reason);
}

/**
 * The keys of a log, taken from records without checking these. A verifier collects keys while it checks all records.
 */
export async function readKeyChain(reader: LogReader): Promise<KeyChain> {
  const chain = KeyChain.begin(await recordAt(reader, 0));
  for (const seq of await reader.rotations()) {
    const record = await recordAt(reader, seq);
    if (record.type !== "key.rotated") throw corrupt(`record ${seq} is marked as a rotation of the key, and is none`);
    chain.extend(record);
  }
  return chain;
}

async function newestCheckpoint(store: JournalStore, size: number): Promise<Checkpointed | null> {
  const name = await store.lastObject(CHECKPOINTS);
  if (name === null) return null;
  const signedSize = numberOfName(name) ?? Number.POSITIVE_INFINITY;
  if (signedSize > size) throw corrupt(`a checkpoint vouches for ${signedSize} records, and the journal holds ${size}`);
  return { size: signedSize, note: Buffer.from((await store.object(name)) ?? []).toString() };
}

/** Compares the tree with the signed root. That needs the tiles and the newest records, but no older ones. */
async function assertVouchedFor(reader: StoreReader, chain: KeyChain, { size, note }: Checkpointed): Promise<void> {
  const checkpoint = chain.openCheckpoint(note);
  if (typeof checkpoint === "string") throw corrupt(`the checkpoint of size ${size} does not count: ${checkpoint}`);
  const root = await rootOf(size, (level, start, count) => reader.hashes(level, start, count));
  if (checkpoint.size !== size || Buffer.compare(root, checkpoint.root) !== 0) {
    throw corrupt(`the tree is not the one that the checkpoint of size ${size} vouches for`);
  }
}

async function keysInForce(keyring: Keyring, chain: KeyChain): Promise<KeysInForce> {
  const keys = await signingKeys(keyring, chain);
  // Removes what an interrupted rotation left: either its record never became durable, or only this cleaning up was
  // missing.
  if (keys.retiring === null) await keyring.discard();
  return keys;
}

/**
 * The keys to sign with from now on; changes nothing. Throws FEMTO_KEY_MISSING or FEMTO_KEY_MISMATCH if the log cannot
 * be continued.
 */
export async function signingKeys(
  keyring: Pick<Keyring, "current" | "next">,
  chain: Pick<KeyChain, "origin" | "keys">,
): Promise<KeysInForce> {
  const current = await keyring.current();
  if (current === null) {
    throw new FemtoError("FEMTO_KEY_MISSING", `the private key of the log ${chain.origin} is missing`);
  }
  const vkeyOf = (key: KeyObject): string => verifierKey(noteSigner(chain.origin, key));
  const [before, inForce] = [chain.keys.at(-2), chain.keys.at(-1)];
  if (vkeyOf(current) === inForce?.vkey) return { key: current, retiring: null };
  const next = await keyring.next();
  if (next !== null && vkeyOf(next) === inForce?.vkey && vkeyOf(current) === before?.vkey) {
    return { key: next, retiring: current };
  }
  throw new FemtoError("FEMTO_KEY_MISMATCH", `the private key is not the one in force for the log ${chain.origin}`);
}

async function recordAt(reader: LogReader, seq: number): Promise<TypedRecord> {
  for await (const record of reader.read(seq, seq + 1)) return record;
  throw corrupt(`record ${seq} is missing`);
}

function corrupt(finding: string): FemtoError {
  return new FemtoError("FEMTO_JOURNAL_CORRUPT", finding);
}
