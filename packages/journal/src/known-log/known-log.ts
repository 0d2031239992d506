/**
 * What a client has seen of a log, and whether the log it meets now continues from there. Pure: reads and writes
 * nothing. The answer being checked is not trusted.
 */
import { errorText, type LogContinuation, type LogStep } from "@femtoclaw/protocol";
import { originOf } from "../keys/key-chain.ts";
import { decodeRecord } from "../records/record.ts";
import { decodeBase64 } from "../tree/base64.ts";
import { type Checkpoint, parseCheckpoint } from "../tree/checkpoint.ts";
import { EMPTY_ROOT, leafHash } from "../tree/hashing.ts";
import { verifyConsistency, verifyInclusion } from "../tree/proof.ts";
import { type NoteVerifier, openNote, parseVerifierKey, verifierKey } from "../tree/signed-note.ts";

export interface KnownLog {
  /** Public key that the log began with and is named after. */
  readonly firstKey: string;
  /** The key that has signed the checkpoint. */
  readonly key: string;
  /** The newest signed note that was seen. */
  readonly checkpoint: string;
}

/** A known log in parsed form: its name, and the size and root from which it has to continue. */
interface KnownState extends Checkpoint {
  readonly key: NoteVerifier;
}

type Followed =
  /** `complete` is false if more changes of the key have to be asked for. */
  | { readonly ok: true; readonly known: KnownLog; readonly complete: boolean }
  | { readonly ok: false; readonly reason: string };

/** Parses a known log. Returns a text if it cannot be valid, saying why. */
export function openKnownLog({ firstKey, key, checkpoint }: KnownLog): KnownState | string {
  const [beginning, current] = [beginningOf(firstKey), parseVerifierKey(key)];
  if (typeof beginning === "string") return beginning;
  if (current === null) return "it holds no Ed25519 key of the form name+id+key";
  const state = openedBy(checkpoint, [current], beginning.origin);
  return typeof state === "string" ? `its checkpoint does not count: ${state}` : state;
}

/** The state before anything is known of a log except its first key, after which the log is named. */
function beginningOf(firstKey: string): KnownState | string {
  const key = parseVerifierKey(firstKey);
  if (key === null) return "it holds no Ed25519 key of the form name+id+key";
  const origin = originOf(key.publicKey);
  return key.name === origin ? { origin, size: 0, root: EMPTY_ROOT, key } : "it is not named after its first key";
}

/**
 * Whether the log that gave this answer is the known one and continues from there. `known` is null at first sight. Then
 * any log is accepted, as the one named after its first key.
 */
export function followLog(known: KnownLog | null, answer: unknown): Followed {
  const continuation = parseContinuation(answer);
  if (continuation === null) return refused("the answer is no proof");
  const { first_key: firstKey, steps } = continuation;
  const before = known === null ? beginningOf(firstKey) : openKnownLog(known);
  if (typeof before === "string") return refused(before);
  if (known !== null && firstKey !== known.firstKey) {
    return refused(`it is another log, ${parseVerifierKey(firstKey)?.name ?? "without a name"}`);
  }
  let state = before;
  for (const step of steps) {
    const next = takeStep(state, step);
    if (typeof next === "string") return refused(next);
    state = next;
  }
  const last = steps.at(-1);
  if (last === undefined) return refused("it shows no checkpoint");
  const { checkpoint, rotation } = last;
  return { ok: true, known: { firstKey, key: verifierKey(state.key), checkpoint }, complete: rotation === undefined };
}

const refused = (reason: string): Followed => ({ ok: false, reason });

// INVARIANT: I7: a key counts only because the key before it has signed the tree that names it.
function takeStep(before: KnownState, { checkpoint, consistency, rotation }: LogStep): KnownState | string {
  const record = rotation === undefined ? undefined : decodeBase64(rotation.record);
  const next = rotation === undefined ? undefined : nextKey(before, rotation.seq, record ?? null);
  if (typeof next === "string") return next;
  const state = openedBy(checkpoint, next === undefined ? [before.key] : [before.key, next], before.origin);
  if (typeof state === "string") return `its checkpoint does not count: ${state}`;
  const { size, root } = state;
  if (size < before.size || size === 0) return `its newest checkpoint covers ${size} records`;
  const hashes = hashesOf(consistency);
  const goesOn = before.size === 0 ? hashes?.length === 0 : verified(before, state, hashes);
  if (!goesOn) return `its ${size} records do not begin with those that were seen`;
  if (rotation === undefined || record === null || record === undefined) return state;
  const inclusion = hashesOf(rotation.inclusion);
  const stands = inclusion !== null && verifyInclusion(leafHash(record), rotation.seq, size, inclusion, root);
  return stands ? state : `record ${rotation.seq}, which changes the key, does not stand in it`;
}

function verified(before: KnownState, { size, root }: KnownState, hashes: readonly Uint8Array[] | null): boolean {
  return hashes !== null && verifyConsistency(before.size, size, before.root, root, hashes);
}

/** The key that replaces the one in force according to the record, or a text that says why there is none. */
function nextKey({ key, origin, size }: KnownState, seq: number, bytes: Uint8Array | null): NoteVerifier | string {
  const unfit = `record ${seq} does not change the key in force`;
  if (bytes === null || seq < size) return unfit;
  try {
    const record = decodeRecord(bytes);
    if (record.type !== "key.rotated" || record.seq !== seq) return unfit;
    const { vkey, retired_vkey: retired } = record.body;
    const next = parseVerifierKey(vkey);
    return retired === verifierKey(key) && next?.name === origin && vkey !== retired ? next : unfit;
  } catch (error) {
    return `record ${seq}, which changes the key, cannot be read: ${errorText(error)}`;
  }
}

/** The content of the note if all of these keys have signed it. The last of them is in force from then on. */
function openedBy(note: string, keys: readonly NoteVerifier[], origin: string): KnownState | string {
  const signers = openNote(note, keys)?.signers ?? [];
  const missing = keys.find((key) => !signers.includes(key));
  const [key] = keys.slice(-1);
  if (missing !== undefined || key === undefined) return `the key ${missing?.keyId.toString("hex")} has not signed it`;
  const checkpoint = parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1));
  if (checkpoint === null) return "it is not made of the three lines origin, size and root";
  return checkpoint.origin === origin ? { ...checkpoint, key } : `it is of another log, ${checkpoint.origin}`;
}

function parseContinuation(value: unknown): LogContinuation | null {
  if (!isObject(value) || typeof value["first_key"] !== "string" || !Array.isArray(value["steps"])) return null;
  return value["steps"].every(isStep) ? (value as unknown as LogContinuation) : null;
}

function isStep(value: unknown): boolean {
  if (!isObject(value) || typeof value["checkpoint"] !== "string" || !isTexts(value["consistency"])) return false;
  const rotation = value["rotation"];
  if (rotation === undefined) return true;
  if (!isObject(rotation) || !Number.isSafeInteger(rotation["seq"])) return false;
  return typeof rotation["record"] === "string" && isTexts(rotation["inclusion"]);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function hashesOf(texts: readonly string[]): Uint8Array[] | null {
  const hashes = texts.map(decodeBase64);
  return hashes.every((hash) => hash !== null) ? hashes : null;
}
