/**
 * Turns a writer's entry into the bytes that are stored for good: secrets are taken out, large values are replaced by
 * commitments, and the rest is encoded once. Nothing reaches the journal without passing through here.
 */
import {
  type Commitment,
  LIMITS,
  type RecordEntry,
  type RecordType,
  type Redaction,
  type TypedRecord,
} from "@femtoclaw/protocol";
import type { RecordFrame } from "../records/frames.ts";
import { blobName } from "../records/object-name.ts";
import { assertWellFormed, encodeText } from "../records/record.ts";
import type { StoredObject } from "../store/store.ts";
import { commit, type Salts } from "./commitments.ts";
import { pointer, replacedAt } from "./json-pointer.ts";
import { redact } from "./redact.ts";
import { mayHoldSecret } from "./secret-patterns.ts";

/** A writer's entry, and what in it must not be written. */
export type SealableEntry = RecordEntry & {
  /** Paths in the body whose values are secret, whatever they look like. */
  readonly secrets?: readonly Redaction[];
  /** Paths from which the writer has already taken secrets. */
  readonly redacted?: readonly Redaction[];
  /** Values that the record commits to but that are not kept; the body has null at their paths. */
  readonly committed?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
};

interface Sealer {
  readonly salts: Salts;
  /** Whether values that leave a record are kept beside it. If not, only their salts are. */
  readonly keepsValues: boolean;
}

export interface SealedRecord {
  readonly record: TypedRecord;
  readonly bytes: Buffer;
  /** What opens the commitments, stored in the same batch as the record. */
  readonly blobs: readonly StoredObject[];
}

/** Members of bodies that may leave their record. No state is folded from them. */
const LEAVING: Readonly<Partial<Record<RecordType, readonly string[]>>> = {
  "message.recorded": ["content"],
  "policy.activated": ["schema", "rules", "shadow_rules"],
  "execution.refused": ["facts"],
  "approval.asked": ["args", "facts"],
  "execution.intent": ["args", "facts", "kept"],
  "execution.outcome": ["result"],
  "terminal.recorded": ["text"],
  "upstream.started": ["args"],
};
/** Members in which single texts may become null, instead of only the member as a whole. */
const OPEN: ReadonlySet<string> = new Set(["args", "result", "kept"]);
/** LIMIT: commitments for texts within one member; a member with more large texts leaves as a whole. */
const COMMITMENTS_PER_MEMBER = 16;
/**
 * LIMIT: redactions that a record lists path by path. If there are more, it lists members of the body, once per rule.
 */
const REDACTIONS = 64;
/**
 * LIMIT: characters of a path as JSON, because a member's name can be as long as a value. Longer paths are listed by
 * member, as above.
 */
const PLACE_CHARS = 256;

/** Throws FEMTO_JOURNAL_RECORD_TOO_LARGE for an entry that does not fit even so, FEMTO_PROTOCOL_TEXT for a lone surrogate. */
export function seal(frame: RecordFrame, entry: SealableEntry, { salts, keepsValues }: Sealer): SealedRecord {
  const plain = recordOf(frame, entry, entry.body, [], []);
  const text = JSON.stringify(plain);
  const { secrets = [], redacted = [], committed = [] } = entry;
  const small = text.length <= LIMITS.recordedValueChars;
  const clean = secrets.length === 0 && !mayHoldSecret(bodyText(text));
  if (small && clean && redacted.length === 0 && committed.length === 0)
    return { record: plain, bytes: encodeText(plain.type, text), blobs: [] };
  // Values that leave the record are missing from the encoded text, but must have a UTF-8 form as well.
  assertWellFormed(plain.type, text);
  const untouched = { value: entry.body, redactions: [] };
  const { value: body, redactions } = clean ? untouched : redact<unknown>(entry.body, secrets);
  const sealing = new Sealing(frame, entry, { salts, keepsValues }, body, [...redacted, ...redactions]);
  for (const { path, bytes } of committed) sealing.commit({ path, form: "bytes", bytes, isKept: false });
  return sealing.finish();
}

/**
 * The part of a record's text that may be redacted. No text before it can contain these quotes, because JSON would
 * escape them.
 */
function bodyText(text: string): string {
  return text.slice(text.indexOf('"body":'));
}

interface LeavingValue {
  readonly path: string;
  readonly form: Commitment["form"];
  readonly bytes: Uint8Array;
  readonly isKept?: boolean;
}

class Sealing {
  readonly #frame: RecordFrame;
  readonly #entry: SealableEntry;
  readonly #sealer: Sealer;
  readonly #redactions: readonly Redaction[];
  readonly #commitments: Commitment[] = [];
  readonly #blobs: StoredObject[] = [];
  #body: unknown;

  constructor(
    frame: RecordFrame,
    entry: SealableEntry,
    sealer: Sealer,
    body: unknown,
    redactions: readonly Redaction[],
  ) {
    this.#frame = frame;
    this.#entry = entry;
    this.#sealer = sealer;
    this.#body = body;
    this.#redactions = listed(redactions);
  }

  commit({ path, form, bytes, isKept = this.#sealer.keepsValues }: LeavingValue): void {
    const { commitment, blob } = commit(path, form, bytes, isKept, this.#sealer.salts);
    this.#blobs.push({ name: blobName(this.#frame.seq, this.#commitments.length), bytes: blob });
    this.#commitments.push(commitment);
  }

  finish(): SealedRecord {
    for (const name of this.#leaving) this.#commitLargeTexts(name);
    for (;;) {
      const record = recordOf(this.#frame, this.#entry, this.#body, this.#commitments, this.#redactions);
      const text = JSON.stringify(record);
      if (Buffer.byteLength(text) > LIMITS.recordBytes && this.#commitLargestMember()) continue;
      return { record, bytes: encodeText(record.type, text), blobs: this.#blobs };
    }
  }

  get #leaving(): readonly string[] {
    return LEAVING[this.#entry.type] ?? [];
  }

  #member(name: string): unknown {
    return (this.#body as Readonly<Record<string, unknown>>)[name];
  }

  #commitLargeTexts(name: string): void {
    const member = this.#member(name);
    if (member === undefined || member === null) return;
    const texts = OPEN.has(name) ? largeTexts(member, pointer("", name)) : [];
    const isListable = texts.length <= COMMITMENTS_PER_MEMBER && texts.every(({ path }) => isShortPlace(path));
    if (!isListable || isLargeText(member)) return this.#commitMember(name);
    for (const { path, text } of texts) {
      this.#body = replacedAt(this.#body, path, null);
      this.commit({ path, form: "text", bytes: Buffer.from(text) });
    }
  }

  /** Returns false if nothing is left that may leave. */
  #commitLargestMember(): boolean {
    const sizes = this.#leaving.map((name) => ({ name, chars: JSON.stringify(this.#member(name) ?? null).length }));
    const [largest] = sizes.sort((left, right) => right.chars - left.chars);
    if (largest === undefined || (this.#member(largest.name) ?? null) === null) return false;
    this.#commitMember(largest.name);
    return true;
  }

  #commitMember(name: string): void {
    const member = this.#member(name);
    const path = pointer("", name);
    this.#body = replacedAt(this.#body, path, null);
    if (typeof member === "string") this.commit({ path, form: "text", bytes: Buffer.from(member) });
    else this.commit({ path, form: "json", bytes: Buffer.from(JSON.stringify(member)) });
  }
}

function recordOf(
  { v, seq, at, mono_us, boot, machine }: RecordFrame,
  { type, actor, session, execution }: RecordEntry,
  body: unknown,
  commitments: readonly Commitment[],
  redactions: readonly Redaction[],
): TypedRecord {
  const plain = { v, seq, at, mono_us, boot, type, actor: actor ?? null, session, execution, machine, body };
  if (commitments.length === 0 && redactions.length === 0) return plain as TypedRecord;
  return {
    ...plain,
    ...(commitments.length === 0 ? {} : { commitments }),
    ...(redactions.length === 0 ? {} : { redactions }),
  } as TypedRecord;
}

function largeTexts(value: unknown, path: string): { readonly path: string; readonly text: string }[] {
  if (typeof value === "string") return isLargeText(value) ? [{ path, text: value }] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => largeTexts(member, pointer(path, key)));
}

function isLargeText(value: unknown): value is string {
  return typeof value === "string" && value.length > LIMITS.recordedValueChars;
}

/** INVARIANT: I1: however much was taken out of an outcome, and wherever, its record has room to say so. */
function listed(redactions: readonly Redaction[]): readonly Redaction[] {
  if (redactions.length <= REDACTIONS && redactions.every(({ path }) => isShortPlace(path))) return redactions;
  const found = redactions.map(({ path, rule }) => ({ path: path.split("/").slice(0, 2).join("/"), rule }));
  return [...new Map(found.map((one) => [`${one.path} ${one.rule}`, one])).values()];
}

function isShortPlace(path: string): boolean {
  return JSON.stringify(path).length <= PLACE_CHARS;
}
