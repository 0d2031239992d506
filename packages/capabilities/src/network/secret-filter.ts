/**
 * Removes the secrets of a request from what comes back: in all spellings in which servers repeat what they were told,
 * however these are mixed. What comes back is hostile, so each of its bytes is looked at a fixed number of times.
 */
import type { SecretValues } from "../facts/stored-secrets.ts";
import { cameFrom, unescaped, type View } from "./escapes.ts";

/** LIMIT: layers of escapes within escapes that are resolved, such as those of JSON in a URL in HTML. */
const LAYERS = 3;

const [PLUS, SPACE] = [0x2b, 0x20];

interface Found {
  readonly shown: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * One unescaped spelling of a value, and what is shown instead of it. `before` and `behind` are the numbers of bytes
 * beside the spelling that also hold a part of the value.
 */
interface Spelling {
  readonly shown: Buffer;
  readonly bytes: Buffer;
  readonly before: 0 | 1;
  readonly behind: 0 | 1;
}

export class SecretFilter {
  readonly #spellings: readonly Spelling[];
  readonly #hasSpaces: boolean;

  constructor(values: SecretValues) {
    this.#spellings = [...values].flatMap(([name, value]) => spellingsOf(name, value));
    this.#hasSpaces = [...values.values()].some((value) => value.includes(" "));
  }

  /** INVARIANT: I10: every value is replaced by its name, together with any value that overlaps it. */
  bytes(bytes: Buffer): Buffer {
    if (this.#spellings.length === 0) return bytes;
    const found = this.#viewsOf(bytes).flatMap((view) => this.#foundIn(view));
    return found.length === 0 ? bytes : withNames(bytes, found);
  }

  text(text: string): string {
    return this.#spellings.length === 0 ? text : this.bytes(Buffer.from(text)).toString();
  }

  /**
   * Filters several lines at once. Neither a line nor a value holds the end of a line, so no value is found across two
   * lines.
   */
  lines(lines: readonly string[]): string[] {
    return lines.length === 0 ? [] : this.text(lines.join("\n")).split("\n");
  }

  #viewsOf(bytes: Buffer): View[] {
    const plain: View = { bytes, places: [] };
    const views = [plain, ...layersOf(plain)];
    if (!this.#hasSpaces || !bytes.includes("+")) return views;
    // In a form, a plus is a space. Elsewhere it is itself, so both readings are searched.
    const form: View = { bytes: Buffer.from(bytes.map((byte) => (byte === PLUS ? SPACE : byte))), places: [] };
    return [...views, form, ...layersOf(form)];
  }

  #foundIn(view: View): Found[] {
    // Names of hosts and headers come back in small letters, so everything is compared in small letters. A value that
    // differs only in these counts as the same.
    const bytes = inSmallLetters(view.bytes);
    const found: Found[] = [];
    for (const { shown, bytes: spelling, before, behind } of this.#spellings) {
      for (let from = bytes.indexOf(spelling); from !== -1; from = bytes.indexOf(spelling, from + spelling.length)) {
        const end = from + spelling.length;
        const begins = before === 1 && isBase64(bytes[from - 1]) ? from - 1 : from;
        const ends = behind === 1 && isBase64(bytes[end]) ? end + 1 : end;
        found.push({ shown, from: cameFrom(view, begins), to: cameFrom(view, ends) });
      }
    }
    return found;
  }
}

function spellingsOf(name: string, value: string): Spelling[] {
  const shown = Buffer.from(`[secret ${name}]`);
  const whole = (text: string): Spelling => ({ shown, bytes: inSmallLetters(Buffer.from(text)), before: 0, behind: 0 });
  const hex = Buffer.from(value).toString("hex");
  return [...[value, hex].map(whole), ...[0, 1, 2].flatMap((shift) => base64Of(shown, value, shift))];
}

/**
 * The part of a base64 text that the value alone decides, if `shift` bytes stand before the value in its group of
 * three.
 */
function base64Of(shown: Buffer, value: string, shift: number): Spelling[] {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const [from, to] = [Math.ceil((shift * 8) / 6), Math.floor((bytes.length * 8) / 6)];
  const text = bytes.toString("base64").slice(from, to);
  const beside = { before: shift === 0 ? 0 : 1, behind: (bytes.length * 8) % 6 === 0 ? 0 : 1 } as const;
  const ofUrls = text.replaceAll("+", "-").replaceAll("/", "_");
  return [...new Set([text, ofUrls])].map((spelling) => {
    return { shown, bytes: inSmallLetters(Buffer.from(spelling)), ...beside };
  });
}

function inSmallLetters(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString("latin1").toLowerCase(), "latin1");
}

function isBase64(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9+/_-]/.test(String.fromCharCode(byte));
}

function withNames(bytes: Buffer, found: Found[]): Buffer {
  found.sort((left, right) => left.from - right.from || right.to - left.to);
  const named = Buffer.allocUnsafeSlow(found.reduce((sum, { shown }) => sum + shown.length, bytes.length));
  let [done, length] = [0, 0];
  for (const { shown, from, to } of found) {
    if (from >= done) {
      length += bytes.copy(named, length, done, from);
      length += shown.copy(named, length);
    }
    done = Math.max(done, to);
  }
  length += bytes.copy(named, length, done);
  return named.subarray(0, length);
}

function layersOf(plain: View): View[] {
  const layers: View[] = [];
  for (let view: View | null = unescaped(plain); view !== null; view = unescaped(view)) {
    layers.push(view);
    if (layers.length === LAYERS) break;
  }
  return layers;
}
