/**
 * Removes an item from a list in a TOML text, with its comma and the comment on its line. Every other byte stays as it
 * is. The caller checks what the new text means.
 */
import { type AST, parseTOML } from "toml-eslint-parser";
import type { Position } from "./toml-positions.ts";

/** The new text; null if there is no list item at this position. */
export function removeFromToml(text: string, place: Position): string | null {
  const [top] = parseTOML(text, { tomlVersion: "1.1.0" }).body;
  const found = itemAt(top.body, place);
  if (found === null) return null;
  const { list, index } = found;
  const element = list.elements[index];
  if (element === undefined) return null;
  const [start, end] = element.range;
  const comma = top.parent.tokens.find(({ value, range }) => value === "," && range[0] >= end);
  const after = comma !== undefined && comma.range[1] <= list.range[1] && isGap(text.slice(end, comma.range[0]));
  const stop = after ? comma.range[1] : end;
  const line = ownLine(text, start, stop, list);
  if (line !== null) return text.slice(0, line.start) + text.slice(line.stop);
  const next = list.elements[index + 1];
  if (after && next !== undefined) return text.slice(0, start) + text.slice(next.range[0]);
  const before = list.elements[index - 1];
  return text.slice(0, before === undefined ? start : before.range[1]) + text.slice(stop);
}

/** Blanks, line breaks and comments: nothing that belongs to another item. */
const isGap = (between: string): boolean => /^(?:\s|#[^\n]*\n)*$/.test(between);

/** The whole lines of an item, if they contain nothing but the item, its comma and a comment. */
function ownLine(
  text: string,
  start: number,
  stop: number,
  list: AST.TOMLArray,
): { readonly start: number; readonly stop: number } | null {
  const begin = text.lastIndexOf("\n", start - 1) + 1;
  const newline = text.indexOf("\n", stop);
  if (begin <= list.range[0] || newline === -1 || newline >= list.range[1]) return null;
  const isAlone = text.slice(begin, start).trim() === "" && /^[ \t\r]*(?:#.*)?$/.test(text.slice(stop, newline));
  return isAlone ? { start: begin, stop: newline + 1 } : null;
}

interface Item {
  readonly list: AST.TOMLArray;
  readonly index: number;
}

function itemAt(nodes: readonly AST.TOMLNode[], place: Position): Item | null {
  for (const node of nodes) {
    const inner = itemIn(node, place);
    if (inner !== null) return inner;
  }
  return null;
}

function itemIn(node: AST.TOMLNode, place: Position): Item | null {
  switch (node.type) {
    case "TOMLTable":
    case "TOMLInlineTable":
      return itemAt(node.body, place);
    case "TOMLKeyValue":
      return itemIn(node.value, place);
    case "TOMLArray": {
      const index = node.elements.findIndex(({ loc: { start } }) => {
        return start.line === place.line && start.column + 1 === place.column;
      });
      return index === -1 ? itemAt(node.elements, place) : { list: node, index };
    }
    default:
      return null;
  }
}
