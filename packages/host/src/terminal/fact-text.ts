/** Structured data in readable form: one line for each fact, named by its path. */
import { printable } from "@femtoclaw/protocol";
import { hangingTable } from "./table.ts";

/** LIMIT: characters of one value on a terminal; `--json` shows all of it. */
const VALUE_CHARS_MAX = 200;
/** Characters of a digest that are shown; its beginning suffices to recognize it. */
const DIGEST_CHARS = 12;

export function factLines(value: unknown, columns: number | null): string[] {
  const rows = factsOf("", value).map(([name, text]) => [printable(name), printable(text, VALUE_CHARS_MAX)] as const);
  return hangingTable(rows, "  ", columns);
}

type Fact = readonly [name: string, text: string];

/** Empty and missing values are left out; an object of plain values takes one line. */
function factsOf(path: string, value: unknown): Fact[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object") return [[path, plain(value)]];
  const entries = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  const isPlain = entries.every(([, inner]) => typeof inner !== "object");
  if (isPlain && path !== "" && entries.length > 0) {
    const parts = entries.map(([name, inner]) => (Array.isArray(value) ? plain(inner) : `${name} ${plain(inner)}`));
    return [[path, parts.join(" · ")]];
  }
  return entries.flatMap(([name, inner]) => factsOf(path === "" ? name : `${path}.${name}`, inner));
}

function plain(value: unknown): string {
  const text = String(value);
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, DIGEST_CHARS)}…` : text;
}
