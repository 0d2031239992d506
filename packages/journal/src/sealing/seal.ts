/**
 * From what a writer says to the bytes that are stored for ever: secrets are taken out, large values are
 * replaced by commitments, and what is left is written once. Nothing reaches the journal past this.
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

/** What a writer says, and what of it must not be written. */
export type SealableEntry = RecordEntry & {
  /** Places in the body whose values are secrets, whatever they look like. */
  readonly secrets?: readonly Redaction[];
  /** Places from which the writer has taken secrets already. */
  readonly redacted?: readonly Redaction[];
  /** Values that the record commits to without holding or keeping them; null stands at their place in the body. */
  readonly committed?: readonly { readonly path: string; readonly bytes: Uint8Array }[];
};

export interface Sealer {
  readonly salts: Salts;
  /** Whether values that leave a record are kept beside it; without room for them only their salts are. */
  readonly keepsValues: boolean;
}

export interface SealedRecord {
  readonly record: TypedRecord;
  readonly bytes: Buffer;
  /** What opens the commitments; stored in the same batch as the record. */
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
/** Members in which single texts may be null instead of the member as a whole. */
const OPEN: ReadonlySet<string> = new Set(["args", "result", "kept"]);
/** LIMIT: commitments that one member leaves behind; one with more large texts leaves as a whole. */
const COMMITMENTS_PER_MEMBER = 16;
/** LIMIT: redactions that a record lists place by place; more are told of by the member of the body, once for each rule. */
const REDACTIONS = 64;
/** LIMIT: characters of a place as JSON; a name in it can be as long as what it names. What lies deeper is told of as above. */
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
  // What leaves the record is no part of the text that is written, and must have a UTF-8 form all the same.
  assertWellFormed(plain.type, text);
  const untouched = { value: entry.body, redactions: [] };
  const { value: body, redactions } = clean ? untouched : redact<unknown>(entry.body, secrets);
  const sealing = new Sealing(frame, entry, { salts, keepsValues }, body, [...redacted, ...redactions]);
  for (const { path, bytes } of committed) sealing.commit({ path, form: "bytes", bytes, isKept: false });
  return sealing.finish();
}

/** Of a record's text what may be redacted. No text in front of it holds these quotes, which JSON would have escaped. */
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

  /** Returns false when nothing is left that could leave. */
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

/** INVARIANT: I1: however much was taken out of an outcome, and wherever, its record has room for saying so. */
function listed(redactions: readonly Redaction[]): readonly Redaction[] {
  if (redactions.length <= REDACTIONS && redactions.every(({ path }) => isShortPlace(path))) return redactions;
  const found = redactions.map(({ path, rule }) => ({ path: path.split("/").slice(0, 2).join("/"), rule }));
  return [...new Map(found.map((one) => [`${one.path} ${one.rule}`, one])).values()];
}

function isShortPlace(path: string): boolean {
  return JSON.stringify(path).length <= PLACE_CHARS;
}
