/** How deep a JSON text nests and how many values it may hold, found without parsing it. */
import { closingQuote } from "./string-literal.ts";

const [QUOTE, COMMA, LIST, LIST_END, OBJECT, OBJECT_END] = [0x22, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d] as const;

export interface JsonExtent {
  readonly depth: number;
  readonly values?: number;
}

/**
 * Whether a text from outside is worth parsing. INVARIANT: I9: V8 takes a second for a megabyte of nothing but brackets,
 * and several to write it again, in which nobody else is served.
 */
export function isJsonWithin(text: string, { depth: depthMax, values: valuesMax = text.length }: JsonExtent): boolean {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length && depth <= depthMax && values <= valuesMax; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = closingQuote(text, at + 1);
    else if (code === LIST || code === OBJECT) depth += 1;
    else if (code === LIST_END || code === OBJECT_END) depth -= 1;
    if (code === COMMA || code === LIST || code === OBJECT) values += 1;
  }
  return depth <= depthMax && values <= valuesMax;
}
