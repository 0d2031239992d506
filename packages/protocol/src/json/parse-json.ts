/**
 * Reads JSON as `JSON.parse` should. V8 14.6 gives a key that is written with an escape the text of another key that it
 * has read before, if the two begin with the same raw characters: after `{"\\":0}`, `{"\n":0}` has the key `\`. Somebody
 * who chooses keys could use this to have one record read as another. So no key that V8 sees here has an escape.
 */
import { closingQuote } from "./string-literal.ts";

/** Begins the substitute of one character of a key. A private character, so that hardly any key contains it itself. */
const MARK = "\ue000";
const SUBSTITUTED = /["\\\u0000-\u001f\ue000]/g;
const SUBSTITUTE = /\ue000([0-9a-f]{4})/g;
const COLON = /[ \t\n\r]*:/y;

/** The value of the JSON text. Throws a SyntaxError if it is no JSON. */
export function parseJson(text: string): unknown {
  const plain = text.includes("\\") ? withoutEscapedKeys(text) : text;
  // biome-ignore lint/plugin: no key of this text has an escape.
  const value: unknown = JSON.parse(plain);
  return plain === text ? value : withOwnKeys(value);
}

/** The same text with substitutes in keys, in one pass over its quotes; the text itself if no key needs them. */
function withoutEscapedKeys(text: string): string {
  let rewritten = "";
  let done = 0;
  for (let open = text.indexOf('"'); open !== -1; ) {
    const end = closingQuote(text, open + 1) + 1;
    const literal = text.slice(open, end);
    if ((literal.includes("\\") || literal.includes(MARK)) && isKey(text, end)) {
      // biome-ignore lint/plugin: a string has no keys that V8 could take for others.
      const key = JSON.parse(literal) as string;
      rewritten += `${text.slice(done, open)}"${key.replace(SUBSTITUTED, substitute)}"`;
      done = end;
    }
    open = text.indexOf('"', end);
  }
  return done === 0 ? text : rewritten + text.slice(done);
}

function isKey(text: string, end: number): boolean {
  COLON.lastIndex = end;
  return COLON.test(text);
}

function substitute(character: string): string {
  return MARK + character.charCodeAt(0).toString(16).padStart(4, "0");
}

/** The value in which each object has the keys of the text. A loop, because depth must not exhaust the stack. */
function withOwnKeys(root: unknown): unknown {
  const around = [root];
  const open: object[] = [around];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const [key, member] of Object.entries(holder)) {
      if (typeof member !== "object" || member === null) continue;
      const own = withOwnNames(member);
      // A definition, because assigning to `__proto__` would change the prototype.
      if (own !== member) Object.defineProperty(holder, key, { value: own });
      open.push(own);
    }
  }
  return around[0];
}

function withOwnNames(value: object): object {
  if (Array.isArray(value) || !Object.keys(value).some((key) => key.includes(MARK))) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [ownKey(key), member]));
}

function ownKey(key: string): string {
  return key.replace(SUBSTITUTE, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
