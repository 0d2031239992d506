/**
 * The newest output of one execution, without secrets, addressed by its place in the whole output. Reading takes
 * nothing away, and a late or slow reader is told how much is gone.
 */
import { SecretStream } from "@femtoclaw/journal/live";
import {
  noticeText,
  type OutputPart,
  type OutputStream,
  type SessionId,
  type UpstreamNotice,
  type WatchedOutput,
} from "@femtoclaw/protocol";

/** LIMIT: bytes of text that are kept of one execution; a busy build writes as much in some seconds. */
export const KEPT_BYTES = 131_072;
/** Bytes charged for a part in addition to its text, so that a program that writes single characters costs no more. */
const PART_BYTES = 64;
/**
 * LIMIT: characters with which a part begins, and bytes up to which later text of the same stream is appended to it.
 */
const PART_MAX = 4_096;
/** LIMIT: bytes of one answer, unless a single part has more. */
const ANSWER_BYTES = 32_768;

interface Kept {
  readonly stream: OutputPart["stream"];
  readonly notice?: UpstreamNotice;
  readonly place: number;
  text: string;
  bytes: number;
}

interface Way {
  readonly decoder: TextDecoder;
  readonly secrets: SecretStream;
}

export class LiveOutput {
  readonly session: SessionId;
  #ways: Readonly<Record<OutputStream, Way>> | null = null;
  #parts: Kept[] = [];
  #cost = 0;
  #end = 0;

  constructor(session: SessionId) {
    this.session = session;
  }

  /** True if there is something new to read. */
  append(stream: OutputStream, piece: Uint8Array): boolean {
    this.#ways ??= { stdout: way(), stderr: way() };
    const { decoder, secrets } = this.#ways[stream];
    return this.#keep(stream, secrets.push(decoder.decode(piece, { stream: true })));
  }

  /** Adds what an MCP server said; secrets have been taken out already. */
  tell(notice: UpstreamNotice): void {
    const text = `${noticeText(notice)}\n`;
    this.#push({ stream: "upstream", place: this.#end, text, bytes: Buffer.byteLength(text), notice });
    this.#drop();
  }

  /** Releases text that was held back because it might have been the beginning of a secret or character. */
  end(): void {
    const ways = this.#ways;
    if (ways === null) return;
    this.#ways = null;
    for (const stream of ["stdout", "stderr"] as const) {
      const { decoder, secrets } = ways[stream];
      this.#keep(stream, secrets.push(decoder.decode()) + secrets.end());
    }
  }

  /** Whole characters from a place on, as many as fit into one answer. */
  from(place: number): Pick<WatchedOutput, "parts" | "skipped" | "next"> & { readonly isAll: boolean } {
    const oldest = this.#parts[0]?.place ?? this.#end;
    const start = Math.min(Math.max(place, oldest), this.#end);
    const parts: Omit<OutputPart, "skipped">[] = [];
    let next = start;
    for (const part of this.#parts) {
      const isRead = part.place + part.bytes <= next;
      if (isRead) continue;
      if (next > start && next + part.bytes - start > ANSWER_BYTES) break;
      const { stream, notice } = part;
      const text = textFrom(part, next - part.place);
      parts.push({ stream, text, ...(notice === undefined ? {} : { notice }) });
      next = part.place + part.bytes;
    }
    return { parts, skipped: Math.max(0, start - place), next, isAll: next === this.#end };
  }

  #keep(stream: OutputStream, text: string): boolean {
    for (let rest = text; rest !== ""; ) {
      const { piece, more } = divided(rest);
      this.#add(stream, piece);
      rest = more;
    }
    this.#drop();
    return text !== "";
  }

  /** INVARIANT: I9: what is kept has a limit, however fast it comes and however slowly it is read. */
  #drop(): void {
    let gone = 0;
    for (const { bytes } of this.#parts) {
      if (this.#cost <= KEPT_BYTES) break;
      this.#cost -= bytes + PART_BYTES;
      gone += 1;
    }
    if (gone > 0) this.#parts = this.#parts.slice(gone);
  }

  #add(stream: OutputStream, text: string): void {
    const bytes = Buffer.byteLength(text);
    const last = this.#parts.at(-1);
    if (last?.stream === stream && last.bytes + bytes <= PART_MAX) {
      last.text += text;
      last.bytes += bytes;
      this.#cost += bytes;
      this.#end += bytes;
    } else {
      this.#push({ stream, place: this.#end, text, bytes });
    }
  }

  #push(part: Kept): void {
    this.#parts.push(part);
    this.#cost += PART_BYTES + part.bytes;
    this.#end += part.bytes;
  }
}

/** Decodes as a result does: invalid bytes become replacement characters, and a byte order mark stays. */
function way(): Way {
  return { decoder: new TextDecoder("utf-8", { ignoreBOM: true }), secrets: new SecretStream() };
}

/** Divides between two characters; a character may consist of two units. */
function divided(text: string): { readonly piece: string; readonly more: string } {
  const isHalf = /[\udc00-\udfff]/.test(text.charAt(PART_MAX));
  const end = isHalf ? PART_MAX - 1 : PART_MAX;
  return { piece: text.slice(0, end), more: text.slice(end) };
}

function textFrom({ text }: Kept, bytes: number): string {
  return bytes <= 0 ? text : Buffer.from(text).subarray(bytes).toString();
}
