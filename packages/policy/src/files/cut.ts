/**
 * Cuts the text of a Cedar file into its policies without understanding them: it knows only strings, comments, brackets
 * and semicolons. Cedar parses each piece afterwards, and both have to agree on the pieces.
 */
import { decodeSourceText, type SourceLanguage, type SourcePlace, sourcePlace } from "@femtoclaw/protocol";
import { escapedText } from "../tables/cedar-text.ts";

export interface Token {
  readonly kind: "string" | "word" | "mark";
  /** As written; a string includes its quotes. */
  readonly text: string;
  readonly offset: number;
}

/** One policy as it stands in its file. */
export interface Statement {
  readonly offset: number;
  /** The policy as written, with comments. */
  readonly raw: string;
  /** The same policy without comments and in ASCII; this text is compiled, recorded and enforced. */
  readonly text: string;
  readonly tokens: readonly Token[];
}

type CutResult =
  | { readonly ok: true; readonly text: string; readonly statements: readonly Statement[] }
  | { readonly ok: false; readonly place: SourcePlace; readonly message: string };

/** LIMIT: nested brackets; the engine traps at some 150, and people cannot read more than a few. */
const BRACKET_DEPTH_MAX = 32;
/** LIMIT: characters of one policy; a longer list belongs into several policies. */
const STATEMENT_CHARS_MAX = 65_536;

/** Annotations that explain a policy are for people, as comments are. */
const CEDAR: SourceLanguage = {
  pieces: /\/\/[^\n\r]*|@(?:reason|fix|unsafe)\s*\(\s*"(?:\\.|[^"\\])*"?|"(?:\\.|[^"\\])*"?/gs,
  escaped: escapedText,
};

export function cutPolicies(bytes: Uint8Array): CutResult {
  const source = decodeSourceText(bytes, CEDAR);
  if (!source.ok) return source;
  const cutter = new Cutter(source.text);
  try {
    return { ok: true, text: source.text, statements: cutter.cut() };
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return { ok: false, place: sourcePlace(source.text, error.offset), message: error.message };
  }
}

/** Thrown and caught only within this file. */
class Misfit extends Error {
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Everything that Cedar's own lexer tells apart. A comment ends at either kind of line end, as in Cedar: what one
 * reader takes for a comment, the other must not take for a policy.
 */
const PIECE = /\/\/[^\n\r]*|"(?:\\.|[^"\\])*"|[A-Za-z0-9_]+|\s+|./gsy;
const OPENING = "([{";
const CLOSING = ")]}";

class Cutter {
  readonly #text: string;
  readonly #statements: Statement[] = [];
  readonly #open: string[] = [];
  #tokens: Token[] = [];
  #compiled = "";

  constructor(text: string) {
    this.#text = text;
  }

  cut(): readonly Statement[] {
    for (const { 0: piece, index } of this.#text.matchAll(PIECE)) this.#take(piece, index);
    const [unfinished] = this.#tokens;
    if (unfinished !== undefined) throw new Misfit(unfinished.offset, "this policy does not end with a semicolon");
    return this.#statements;
  }

  #take(piece: string, offset: number): void {
    if (piece.startsWith("//")) return;
    if (/^[\t\n\r ]+$/.test(piece)) {
      this.#compiled += piece;
      return;
    }
    const kind = piece.startsWith('"') ? "string" : /^\w/.test(piece) ? "word" : "mark";
    if (kind === "mark") this.#bracket(piece, offset);
    if (kind === "string" && piece.length === 1) throw new Misfit(offset, "this text in quotes does not end");
    this.#tokens.push({ kind, text: piece, offset });
    this.#compiled += kind === "string" ? escapedText(piece) : piece;
    if (piece === ";" && this.#open.length === 0) this.#end(offset + 1);
  }

  #bracket(mark: string, offset: number): void {
    if (!/^[\x21-\x7e]$/.test(mark)) {
      throw new Misfit(offset, "only ASCII may stand outside of comments and of text in quotes");
    }
    if (OPENING.includes(mark)) this.#open.push(mark);
    else if (CLOSING.includes(mark) && this.#open.pop() !== OPENING[CLOSING.indexOf(mark)]) {
      throw new Misfit(offset, `this \`${mark}\` closes no bracket`);
    }
    if (this.#open.length > BRACKET_DEPTH_MAX) {
      throw new Misfit(offset, `brackets are nested deeper than ${BRACKET_DEPTH_MAX}; split the policy`);
    }
  }

  #end(end: number): void {
    const offset = this.#tokens[0]?.offset ?? end;
    if (end - offset > STATEMENT_CHARS_MAX) {
      throw new Misfit(offset, `this policy is longer than ${STATEMENT_CHARS_MAX} characters; split it`);
    }
    const lines = this.#compiled.split(/[\n\r]+/).map((line) => line.trimEnd());
    const text = lines.filter((line) => line !== "").join("\n");
    this.#statements.push({ offset, raw: this.#text.slice(offset, end), text: text.trimStart(), tokens: this.#tokens });
    this.#tokens = [];
    this.#compiled = "";
  }
}
