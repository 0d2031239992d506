/**
 * Adds an item to a list in a TOML text, or adds the list if it is missing. Every other byte stays as it is, because
 * comments, order and layout are the operator's. The caller checks what the new text means.
 */
import { type AST, parseTOML } from "toml-eslint-parser";
import { tomlKey } from "./toml-text.ts";

export interface Insertion {
  /** Keys that lead to the list, for example `allow`, `run`, `git`. */
  readonly path: readonly string[];
  /** The item in TOML syntax. */
  readonly item: string;
}

/** The new text; null if something other than a list stands in its place. */
export function insertIntoToml(text: string, { path, item }: Insertion): string | null {
  const [top] = parseTOML(text, { tomlVersion: "1.1.0" }).body;
  const tokens = [...top.parent.tokens, ...top.parent.comments].sort(byPlace);
  const place = placeOf(top, path);
  if (place === null) return newTable(text, path, item);
  const { node, key, rest } = place;
  if (node.type === "TOMLArray") return key === null ? intoBrackets({ text, tokens }, node, node.elements, item) : null;
  if (key === null) return null;
  const entry = entryText(key, rest, item);
  if (node.type === "TOMLInlineTable") return intoBrackets({ text, tokens }, node, node.body, entry);
  return afterLine(text, node, entry);
}

interface Place {
  /** The list or inline table to add to, or the node after whose line a new line is written. */
  readonly node: AST.TOMLArray | AST.TOMLInlineTable | AST.TOMLKeyValue | AST.TOMLTable;
  /** The key to write, dotted like its neighbours; null if everything up to the list exists. */
  readonly key: string | null;
  /** Further keys, which are written as inline tables within it. */
  readonly rest: readonly string[];
  /** How many keys of the path exist already. */
  readonly depth: number;
}

/** The innermost existing node on the path; null if there is none. */
function placeOf(top: AST.TOMLTopLevelTable, path: readonly string[]): Place | null {
  const places: Place[] = [];
  for (const node of top.body) {
    if (node.type === "TOMLKeyValue") {
      visit(node, [], path, places);
    } else if (node.resolvedKey.every((key, depth) => key === path[depth])) {
      const keys = path.slice(0, node.resolvedKey.length);
      places.push(placeIn(node.body.at(-1) ?? node, keys.length, path));
      for (const entry of node.body) visit(entry, keys, path, places);
    }
  }
  const depth = Math.max(0, ...places.map((place) => place.depth));
  return places.findLast((place) => place.depth === depth) ?? null;
}

function placeIn(node: Place["node"], depth: number, path: readonly string[]): Place {
  const [first, ...rest] = path.slice(depth);
  return { node, key: first === undefined ? null : tomlKey(first), rest, depth };
}

/**
 * If the path begins with the entry's keys, the search continues within the entry. If it shares only some of the
 * entry's dotted keys, the entry is a neighbour.
 */
function visit(entry: AST.TOMLKeyValue, table: readonly string[], path: readonly string[], places: Place[]): void {
  const keys = [...table, ...entry.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value))];
  const differing = keys.findIndex((key, at) => key !== path[at]);
  if (differing === -1) {
    const { value } = entry;
    const isContainer = value.type === "TOMLArray" || value.type === "TOMLInlineTable";
    places.push(placeIn(isContainer ? value : entry, isContainer ? keys.length : path.length, path));
    if (value.type === "TOMLInlineTable") for (const inner of value.body) visit(inner, keys, path, places);
  } else if (differing > table.length) {
    const key = path
      .slice(table.length, differing + 1)
      .map(tomlKey)
      .join(".");
    const node = entry.parent.type === "TOMLInlineTable" ? entry.parent : entry;
    places.push({ node, key, rest: path.slice(differing + 1), depth: differing });
  }
}

/** `run = { git = [item] }` */
function entryText(key: string, rest: readonly string[], item: string): string {
  return `${key} = ${rest.reduceRight((value, inner) => `{ ${tomlKey(inner)} = ${value} }`, `[${item}]`)}`;
}

function newTable(text: string, [table = "", key = "", ...rest]: readonly string[], item: string): string {
  const eol = lineBreak(text);
  const isOpen = text !== "" && !text.endsWith("\n");
  const gap = `${isOpen ? eol : ""}${text === "" ? "" : eol}`;
  return `${text}${gap}[${tomlKey(table)}]${eol}${entryText(tomlKey(key), rest, item)}${eol}`;
}

interface Source {
  readonly text: string;
  /** Tokens and comments in the order of the text. */
  readonly tokens: readonly (AST.Token | AST.Comment)[];
}

const byPlace = (a: { readonly range: readonly number[] }, b: { readonly range: readonly number[] }): number =>
  (a.range[0] ?? 0) - (b.range[0] ?? 0);

function intoBrackets(
  source: Source,
  { range: [start, end] }: AST.TOMLArray | AST.TOMLInlineTable,
  entries: readonly AST.TOMLNode[],
  entry: string,
): string {
  const { text, tokens } = source;
  const last = entries.at(-1);
  if (last === undefined) {
    const isTable = text[start] === "{";
    return splice(text, start + 1, isTable ? ` ${entry}${text[start + 1] === "}" ? " " : ""}` : entry);
  }
  const after = tokens.filter(({ range }) => range[0] >= last.range[1] && range[1] <= end);
  const comma = after.find((token) => token.type === "Punctuator" && token.value === ",");
  const separated = comma === undefined ? splice(text, last.range[1], ",") : text;
  const shift = comma === undefined ? 1 : 0;
  const isOneLine = !text.slice(start, last.range[0]).includes("\n");
  const rest = comma === undefined ? last.range[1] : comma.range[1];
  if (isOneLine) return splice(separated, rest + shift, ` ${entry}${comma === undefined ? "" : ","}`);
  // A comment at the end of the last entry's line belongs to that entry and stays with it.
  const lineEnd = text.indexOf("\n", rest);
  const comment = after.find((token) => token.type === "Block" && token.range[0] >= rest && token.range[0] < lineEnd);
  const at = (comment === undefined ? rest : comment.range[1]) + shift;
  const indent = indentOf(text, last.range[0]);
  return splice(separated, at, `${lineBreak(text)}${indent}${entry}${comma === undefined ? "" : ","}`);
}

/** Inserts a line after the one in which the node ends, with the same indentation. */
function afterLine(text: string, node: AST.TOMLKeyValue | AST.TOMLTable, entry: string): string {
  const newline = text.indexOf("\n", node.type === "TOMLTable" ? node.key.range[1] : node.range[1]);
  const lineEnd = newline === -1 ? text.length : newline;
  const at = text[lineEnd - 1] === "\r" ? lineEnd - 1 : lineEnd;
  return splice(text, at, `${lineBreak(text)}${indentOf(text, node.range[0])}${entry}`);
}

function indentOf(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function lineBreak(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function splice(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at);
}
