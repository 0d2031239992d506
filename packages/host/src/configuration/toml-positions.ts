/** Finds the position of each key and list item in a TOML text. Used only for messages, never for values. */
import { errorText, jsonPointer, LIMITS } from "@femtoclaw/protocol";
import { type AST, ParseError, parseTOML } from "toml-eslint-parser";

export interface Position {
  /** Line and column count from 1. */
  readonly line: number;
  readonly column: number;
}

export type PositionsResult = { readonly positions: ReadonlyMap<string, Position> } | { readonly fault: TomlFault };

export interface TomlFault extends Position {
  readonly message: string;
}

/** From JSON pointers to positions. A table has the position of its first mention. */
export function tomlPositions(text: string): PositionsResult {
  try {
    const positions = new Map<string, Position>();
    for (const node of parseTOML(text, { tomlVersion: "1.1.0" }).body[0].body) visitTop(node, positions);
    return { positions };
  } catch (error) {
    // Text that only one of the two parsers accepts is refused, even if the other one merely ran out of stack.
    const { line, column } = error instanceof ParseError ? placeOf(error) : { line: 1, column: 1 };
    return { fault: { line, column, message: errorText(error) } };
  }
}

function placeOf({ lineNumber, column }: ParseError): Position {
  return { line: lineNumber, column: column + 1 };
}

type Path = readonly (string | number)[];
type Positions = Map<string, Position>;

/**
 * INVARIANT: deeper positions are not noted, because the length of their paths together could grow as the square of the
 * file's.
 */
const DEPTH_MAX = LIMITS.jsonDepth;

function visitTop(node: AST.TOMLKeyValue | AST.TOMLTable, positions: Positions): void {
  if (node.type === "TOMLKeyValue") return visitKeyValue(node, [], positions);
  for (let depth = 1; depth <= Math.min(node.resolvedKey.length, DEPTH_MAX); depth += 1) {
    note(node.resolvedKey.slice(0, depth), node.key, positions);
  }
  const path = node.resolvedKey.slice(0, DEPTH_MAX);
  for (const inner of node.body) visitKeyValue(inner, path, positions);
}

function visitKeyValue(node: AST.TOMLKeyValue, parent: Path, positions: Positions): void {
  let path = parent;
  for (const part of node.key.keys.slice(0, DEPTH_MAX - parent.length)) {
    path = [...path, part.type === "TOMLBare" ? part.name : part.value];
    note(path, part, positions);
  }
  if (path.length < DEPTH_MAX) visitContent(node.value, path, positions);
}

function visitContent(node: AST.TOMLContentNode, path: Path, positions: Positions): void {
  if (node.type === "TOMLInlineTable") {
    for (const inner of node.body) visitKeyValue(inner, path, positions);
  } else if (node.type === "TOMLArray") {
    for (const [index, element] of node.elements.entries()) {
      note([...path, index], element, positions);
      visitContent(element, [...path, index], positions);
    }
  }
}

function note(path: Path, node: AST.TOMLNode, positions: Positions): void {
  const pointer = jsonPointer(path);
  const { line, column } = node.loc.start;
  if (!positions.has(pointer)) positions.set(pointer, { line, column: column + 1 });
}
