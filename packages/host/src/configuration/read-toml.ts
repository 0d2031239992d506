/**
 * Reads TOML strictly: UTF-8, bounded size and depth, no hidden characters. Two parsers have to agree that the text is
 * TOML. One provides the values, the other the positions for messages.
 */
import {
  decodeSourceText,
  FemtoError,
  type JsonValue,
  jsonPointer,
  LIMITS,
  printable,
  type SourceLanguage,
} from "@femtoclaw/protocol";
import type { ConfigurationFault, SourceOf } from "@femtoclaw/runtime/configuration";
import { parse } from "toml";
import { CONFIGURATION_BYTES_MAX } from "./project-files.ts";
import { type Position, tomlPositions } from "./toml-positions.ts";
import { tomlEscape } from "./toml-text.ts";

export interface TomlDocument {
  /** Tables without prototype, lists, texts, integers, booleans; null in place of a fault. */
  readonly value: JsonValue;
  /** Values that are valid TOML but not allowed in a configuration: dates, fractions, huge integers. */
  readonly faults: readonly ConfigurationFault[];
  /** From a JSON pointer to `femtoclaw.toml:12:9`. If a value has no position of its own, its parent's is used. */
  readonly sourceOf: SourceOf;
}

/** `name` stands before each position, for example `femtoclaw.toml`. */
export function readToml(bytes: Uint8Array, name: string): TomlDocument {
  const text = decode(bytes, name);
  const parsed = parseValues(text, name);
  const nodes = countNodes(parsed);
  if (nodes > LIMITS.jsonNodes) {
    throw new FemtoError("FEMTO_CONFIG_INVALID", `${name} holds more than ${LIMITS.jsonNodes} values`);
  }
  const faults: ConfigurationFault[] = [];
  const value = plainValue(parsed, [], faults);
  const result = tomlPositions(text);
  if ("fault" in result) throw syntaxError(name, result.fault, result.fault.message);
  const sourceOf: SourceOf = (pointer) => {
    const { line, column } = nearestPosition(pointer, result.positions);
    return `${name}:${line}:${column}`;
  };
  return { value, faults, sourceOf };
}

/** A text without an end goes on to where it would have to end, so that the search takes no more than one pass. */
const TOML: SourceLanguage = {
  pieces:
    /#[^\n]*|"""(?:\\.|"{1,2}(?!")|[^"\\])*(?:"""|$)|'''(?:'{1,2}(?!')|[^'])*(?:'''|$)|"(?:\\[^\n]|[^"\\\n])*"?|'[^'\n]*'?/gs,
  escaped: tomlEscape,
};

function decode(bytes: Uint8Array, name: string): string {
  if (bytes.length > CONFIGURATION_BYTES_MAX) {
    throw new FemtoError("FEMTO_CONFIG_INVALID", `${name} is larger than ${CONFIGURATION_BYTES_MAX} bytes`);
  }
  const source = decodeSourceText(bytes, TOML);
  if (source.ok) return source.text;
  throw syntaxError(name, source.place, source.message);
}

function parseValues(text: string, name: string): unknown {
  try {
    return parse(text, { bigint: true, useTemporal: true, maxDepth: LIMITS.jsonDepth });
  } catch (error) {
    throw syntaxError(name, positionOf(error), describeSyntax(error), error);
  }
}

/** Stops soon after the limit, which also bounds the work of the second parser. */
function countNodes(root: unknown): number {
  const open = [root];
  let count = 0;
  for (let value = open.pop(); value !== undefined && count <= LIMITS.jsonNodes; value = open.pop()) {
    count += 1;
    if (typeof value === "object" && value !== null) for (const item of Object.values(value)) open.push(item);
  }
  return count;
}

function syntaxError(name: string, { line, column }: Position, finding: string, cause?: unknown): FemtoError {
  const message = printable(finding.charAt(0).toLowerCase() + finding.slice(1).replace(/\.$/, ""));
  return new FemtoError("FEMTO_CONFIG_SYNTAX", `${name}:${line}:${column}: ${message}`, { cause });
}

/** The parser has two kinds of errors: of grammar, with a `location`, and of meaning, with `line` and `column`. */
function positionOf(error: unknown): Position {
  const { location, line, column } = error as {
    readonly location?: { readonly start: Position };
    readonly line?: number;
    readonly column?: number;
  };
  return location?.start ?? { line: line ?? 1, column: column ?? 1 };
}

function describeSyntax(error: unknown): string {
  if (!(error instanceof Error)) return "not TOML";
  if (!("found" in error)) {
    // Users who paste an example from a guide often run into this error first.
    const again = /^cannot redefine existing key/i.test(error.message);
    return again ? error.message.replace(/\.?$/, "; a file holds each key and each table once") : error.message;
  }
  // The parser's own message lists every character that would have been possible here.
  if (typeof error.found !== "string") return "the file ends in the middle of a value";
  return error.found === "\n" || error.found === "\r"
    ? "the line ends where a value or the rest of a key is expected"
    : `unexpected ${JSON.stringify(error.found)}`;
}

function plainValue(value: unknown, path: readonly (string | number)[], faults: ConfigurationFault[]): JsonValue {
  const refuse = (message: string): null => {
    faults.push({ pointer: jsonPointer(path), message });
    return null;
  };
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : refuse(`the number ${value} is too large`);
  }
  if (typeof value === "number") return refuse(`expected no fraction here; found ${value}, and 1.0 is one too`);
  if (path.length >= LIMITS.jsonDepth) return refuse(`nested deeper than ${LIMITS.jsonDepth} levels`);
  if (Array.isArray(value)) return value.map((item, index) => plainValue(item, [...path, index], faults));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== null) {
    return refuse("expected no date or time here; put text in quotes");
  }
  const table: Record<string, JsonValue> = Object.create(null);
  for (const [key, item] of Object.entries(value)) table[key] = plainValue(item, [...path, key], faults);
  return table;
}

function nearestPosition(pointer: string, positions: ReadonlyMap<string, Position>): Position {
  for (let place = pointer; place !== ""; place = place.slice(0, place.lastIndexOf("/"))) {
    const position = positions.get(place);
    if (position !== undefined) return position;
  }
  return { line: 1, column: 1 };
}
