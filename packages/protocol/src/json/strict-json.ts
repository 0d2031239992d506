/**
 * A JSON parser that refuses what `JSON.parse` accepts although two parsers could read it differently, or it is not
 * safe: duplicate keys, lone surrogates, unsafe integers, overflowing numbers, unbounded depth.
 */

import type { ErrorCode } from "../faults/errors.ts";
import { LIMITS } from "../limits.ts";
import { printable } from "../text/display.ts";
import { isLost } from "./inexact-numbers.ts";
import { jsonPointer } from "./json-pointer.ts";
import { closingQuote } from "./string-literal.ts";

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export interface JsonFault {
  readonly code: ErrorCode;
  readonly reason: string;
  /** JSON Pointer of the value in which the fault lies. */
  readonly pointer: string;
  /** Character offset into the text. */
  readonly offset: number;
}

export type JsonResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly fault: JsonFault };

export interface JsonLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly nodes: number;
}

const MESSAGE_LIMITS: JsonLimits = {
  bytes: LIMITS.messageBytes,
  depth: LIMITS.jsonDepth,
  nodes: LIMITS.jsonNodes,
};

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decodes and parses; never throws. */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits = MESSAGE_LIMITS): JsonResult {
  if (bytes.byteLength > limits.bytes) {
    return refuse("FEMTO_PROTOCOL_TOO_LARGE", `${bytes.byteLength} bytes where at most ${limits.bytes} are taken`);
  }
  let text: string;
  try {
    text = DECODER.decode(bytes);
  } catch {
    return refuse("FEMTO_PROTOCOL_NOT_UTF8", "the bytes are not UTF-8");
  }
  if (text.charCodeAt(0) === 0xfeff) return refuse("FEMTO_PROTOCOL_NOT_UTF8", "the text begins with a byte order mark");
  const parser = new Parser(text, limits);
  try {
    return { ok: true, value: parser.document() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, fault: error.fault };
    throw error;
  }
}

function refuse(code: ErrorCode, reason: string): JsonResult {
  return { ok: false, fault: { code, reason, pointer: "", offset: 0 } };
}

class Refusal extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault) {
    super(fault.reason);
    this.fault = fault;
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  readonly #path: (string | number)[] = [];
  #at = 0;
  #nodes = 0;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  document(): JsonValue {
    this.#space();
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail("FEMTO_PROTOCOL_SYNTAX", "text follows the JSON value");
    return value;
  }

  #value(): JsonValue {
    this.#nodes += 1;
    if (this.#nodes > this.#limits.nodes) {
      this.#fail("FEMTO_PROTOCOL_TOO_LARGE", `more than ${this.#limits.nodes} values`);
    }
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object();
      case "[":
        return this.#array();
      case '"':
        return this.#string();
      case "t":
        return this.#literal("true", true);
      case "f":
        return this.#literal("false", false);
      case "n":
        return this.#literal("null", null);
      default:
        return this.#number();
    }
  }

  #object(): JsonValue {
    const object: { [key: string]: JsonValue } = {};
    this.#enter();
    if (this.#take("}")) return object;
    do {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail("FEMTO_PROTOCOL_SYNTAX", "a key in double quotes is missing");
      const key = this.#string();
      if (Object.hasOwn(object, key)) {
        this.#fail("FEMTO_PROTOCOL_DUPLICATE_KEY", `the key "${printable(key)}" stands twice`);
      }
      // Assigning this one name would change the prototype instead of adding a key.
      if (key === "__proto__") this.#fail("FEMTO_PROTOCOL_SHAPE", 'the key "__proto__" is not taken');
      this.#space();
      if (!this.#take(":")) this.#fail("FEMTO_PROTOCOL_SYNTAX", 'a ":" is missing after a key');
      this.#space();
      this.#path.push(key);
      object[key] = this.#value();
      this.#path.pop();
      this.#space();
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail("FEMTO_PROTOCOL_SYNTAX", 'a "," or "}" is missing');
    return object;
  }

  #array(): JsonValue {
    const array: JsonValue[] = [];
    this.#enter();
    if (this.#take("]")) return array;
    do {
      this.#space();
      this.#path.push(array.length);
      array.push(this.#value());
      this.#path.pop();
      this.#space();
    } while (this.#take(","));
    if (!this.#take("]")) this.#fail("FEMTO_PROTOCOL_SYNTAX", 'a "," or "]" is missing');
    return array;
  }

  #string(): string {
    const from = this.#at;
    this.#at += 1;
    let result = this.#plain();
    if (this.#text[this.#at] === "\\") result = this.#literalFrom(from) ?? this.#unescaped(result);
    if (this.#text[this.#at] !== '"')
      this.#fail("FEMTO_PROTOCOL_SYNTAX", "a string is not closed, or holds a bare control character");
    this.#at += 1;
    if (!result.isWellFormed()) this.#fail("FEMTO_PROTOCOL_TEXT", "a string holds a lone surrogate");
    return result;
  }

  #plain(): string {
    const from = this.#at;
    PLAIN.lastIndex = from;
    // The pattern matches everywhere, since it also matches the empty text.
    if (PLAIN.test(this.#text)) this.#at = PLAIN.lastIndex;
    return this.#text.slice(from, this.#at);
  }

  /**
   * Lets the JavaScript engine parse a string with escapes, which is three times as fast; null if the string is
   * invalid.
   */
  #literalFrom(from: number): string | null {
    const end = closingQuote(this.#text, this.#at);
    try {
      // For a single string literal `JSON.parse` is exactly as strict: no bare control characters, and no unknown
      // escapes.
      // biome-ignore lint/plugin: a string has no keys that V8 could take for others.
      const value: unknown = JSON.parse(this.#text.slice(from, end + 1));
      this.#at = end;
      return value as string;
    } catch {
      return null;
    }
  }

  /** Parses a string with escapes piece by piece, to find the place where it is wrong. */
  #unescaped(before: string): string {
    let result = before;
    while (this.#text[this.#at] === "\\") result += this.#escape() + this.#plain();
    return result;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? "";
    if (letter === "u") {
      const hex = this.#text.slice(this.#at + 2, this.#at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail("FEMTO_PROTOCOL_SYNTAX", "an escape needs four hexadecimal digits");
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const escaped = ESCAPES[letter];
    if (escaped === undefined) this.#fail("FEMTO_PROTOCOL_SYNTAX", "an unknown escape");
    this.#at += 2;
    return escaped;
  }

  #number(): number {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) this.#fail("FEMTO_PROTOCOL_SYNTAX", "a value is missing");
    const value = Number(match[0]);
    const integral = match[1] === undefined && match[2] === undefined;
    if (
      !Number.isFinite(value) ||
      isLost(match[0], value) ||
      (integral ? !Number.isSafeInteger(value) : Math.abs(value) > Number.MAX_SAFE_INTEGER)
    ) {
      this.#fail("FEMTO_PROTOCOL_NUMBER", "a number cannot be held exactly");
    }
    this.#at += match[0].length;
    // A record would hold minus zero as zero, so it is zero for everybody from here on.
    return value === 0 ? 0 : value;
  }

  #literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("FEMTO_PROTOCOL_SYNTAX", "a value is missing");
    this.#at += word.length;
    return value;
  }

  #enter(): void {
    if (this.#path.length >= this.#limits.depth) {
      this.#fail("FEMTO_PROTOCOL_TOO_DEEP", `nested deeper than ${this.#limits.depth} levels`);
    }
    this.#at += 1;
    this.#space();
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #fail(code: ErrorCode, reason: string): never {
    throw new Refusal({ code, reason, pointer: jsonPointer(this.#path), offset: this.#at });
  }
}
