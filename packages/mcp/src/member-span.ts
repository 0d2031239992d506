/** Finds where a member's value stands in a JSON text, so that it can be passed on exactly as it was written. */

import { parseJson } from "@femtoclaw/protocol";

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The value of the first member of this name in the object that begins at `at`. The text must be valid JSON. */
export function memberSpan(text: string, at: number, name: string): Span | null {
  let key = pastSpace(text, at + 1);
  while (text[key] === '"') {
    const keyEnd = stringEnd(text, key);
    const start = pastSpace(text, pastSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    if (parseJson(text.slice(key, keyEnd)) === name) return { start, end };
    key = pastSpace(text, pastSpace(text, end) + 1);
  }
  return null;
}

/** The position of the first character from `at` on that is no white space. */
export function pastSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && " \t\r\n".includes(text.charAt(next))) next += 1;
  return next;
}

function valueEnd(text: string, at: number): number {
  if (text[at] === '"') return stringEnd(text, at);
  if (text[at] !== "{" && text[at] !== "[") return scalarEnd(text, at);
  let depth = 0;
  let next = at;
  while (next < text.length) {
    const character = text[next];
    if (character === '"') {
      next = stringEnd(text, next);
      continue;
    }
    if (character === "{" || character === "[") depth += 1;
    if (character === "}" || character === "]") depth -= 1;
    next += 1;
    if (depth === 0) return next;
  }
  return next;
}

function scalarEnd(text: string, at: number): number {
  let next = at;
  while (next < text.length && !",]} \t\r\n".includes(text.charAt(next))) next += 1;
  return next;
}

function stringEnd(text: string, at: number): number {
  let next = at + 1;
  while (next < text.length && text[next] !== '"') next += text[next] === "\\" ? 2 : 1;
  return next + 1;
}
