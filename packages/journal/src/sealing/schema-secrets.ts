/**
 * Finds the paths in arguments and results whose schema says `x-secret`: `true` for any value, `"environment"` or
 * `"headers"` for tables in which only well-known names are harmless.
 */
import { FemtoError, type Redaction } from "@femtoclaw/protocol";
import { pointer } from "./json-pointer.ts";

/** Returns paths below `root`. The value need not match the schema. */
export type SecretFinder = (value: unknown, root: string) => readonly Redaction[];

type Schema = Readonly<Record<string, unknown>>;

/** Names whose values are not worth hiding. Everything else in such a table is taken out. */
const HARMLESS: Readonly<Record<string, RegExp>> = {
  environment:
    /^(?:LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLORTERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CI|NODE_ENV|PATH|PWD)$/,
  headers:
    /^(?:accept|accept-(?:charset|encoding|language|ranges)|age|allow|cache-control|connection|content-(?:encoding|language|length|range|type)|date|etag|expires|host|if-(?:match|modified-since|none-match|range|unmodified-since)|last-modified|range|retry-after|server|user-agent|vary)$/i,
};

const IN_PLACE = ["allOf", "anyOf", "oneOf"] as const;
const ONE_IN_PLACE = ["if", "then", "else", "not"] as const;
const OF_MEMBERS = ["additionalProperties", "unevaluatedProperties"] as const;
const OF_ITEMS = ["items", "contains", "unevaluatedItems"] as const;

/**
 * Throws FEMTO_CONFIG_INVALID for a mark that would never be found. Every branch of a schema counts, whether it applies
 * or not: rather one value too many is taken out than one too few.
 */
export function secretFinder(schema: Schema): SecretFinder {
  const marked = markedIn(schema, new Set());
  if (marked.size === 0) return () => [];
  const reached = new Set<Schema>();
  reach(schema, schema, reached);
  for (const each of marked) {
    if (!reached.has(each)) throw invalid("a mark stands where no value would be found");
    const kind = each["x-secret"];
    if (kind === true || (typeof kind === "string" && Object.hasOwn(HARMLESS, kind))) continue;
    throw invalid(`\`${String(kind)}\` is no kind of secret`);
  }
  return (value, root) => {
    const places = new Map<string, string>();
    mark(value, root, schema, { document: schema, places, applied: new Map() });
    return [...places].map(([path, rule]) => ({ path, rule }));
  };
}

interface Search {
  readonly document: Schema;
  readonly places: Map<string, string>;
  /** Which schemas were applied at which path, because schemas recur and may refer to themselves. */
  readonly applied: Map<string, Set<Schema>>;
}

function mark(value: unknown, path: string, schema: Schema, search: Search): void {
  const applied = search.applied.get(path) ?? new Set();
  if (applied.has(schema)) return;
  search.applied.set(path, applied.add(schema));
  const secret = schema["x-secret"];
  if (secret === true) search.places.set(path, "x-secret");
  if (typeof secret === "string") markTable(value, path, secret, search.places);
  for (const same of inPlace(schema, search.document)) mark(value, path, same, search);
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    const below = pointer(path, key);
    const children = Array.isArray(value) ? itemSchemas(schema, Number(key)) : memberSchemas(schema, key);
    for (const child of children) mark(member, below, child, search);
  }
}

function markTable(value: unknown, path: string, kind: string, places: Map<string, string>): void {
  if (typeof value !== "object" || value === null) {
    places.set(path, kind);
    return;
  }
  for (const key of Object.keys(value)) {
    if (HARMLESS[kind]?.test(key) !== true) places.set(pointer(path, key), kind);
  }
}

/** Subschemas that apply to the same value. */
function inPlace(schema: Schema, document: Schema): Schema[] {
  const reference = schema["$ref"];
  return [
    ...IN_PLACE.flatMap((keyword) => many(schema[keyword])),
    ...ONE_IN_PLACE.flatMap((keyword) => single(schema[keyword])),
    ...members(schema["dependentSchemas"]),
    ...(typeof reference === "string" ? single(resolve(document, reference)) : []),
  ];
}

function memberSchemas(schema: Schema, key: string): Schema[] {
  const properties = schema["properties"];
  const named = isTable(properties) && Object.hasOwn(properties, key) ? single(properties[key]) : [];
  const matching = Object.entries(isTable(schema["patternProperties"]) ? schema["patternProperties"] : {})
    .filter(([pattern]) => new RegExp(pattern, "u").test(key))
    .flatMap(([, child]) => single(child));
  // Whether a key counts as additional depends on its siblings. Here it is enough that it might.
  return [...named, ...matching, ...OF_MEMBERS.flatMap((keyword) => single(schema[keyword]))];
}

function itemSchemas(schema: Schema, index: number): Schema[] {
  const prefix = many(schema["prefixItems"])[index];
  return [...(prefix === undefined ? [] : [prefix]), ...OF_ITEMS.flatMap((keyword) => single(schema[keyword]))];
}

/** Collects every schema that `mark` could reach. */
function reach(schema: Schema, document: Schema, reached: Set<Schema>): void {
  if (reached.has(schema)) return;
  reached.add(schema);
  const below = [
    ...members(schema["properties"]),
    ...members(schema["patternProperties"]),
    ...many(schema["prefixItems"]),
    ...[...OF_MEMBERS, ...OF_ITEMS].flatMap((keyword) => single(schema[keyword])),
  ];
  for (const next of [...inPlace(schema, document), ...below]) reach(next, document, reached);
}

/** Collects everything that carries a mark, even where no schema is expected. */
function markedIn(value: unknown, marked: Set<Schema>): Set<Schema> {
  if (isTable(value) && Object.hasOwn(value, "x-secret")) marked.add(value);
  if (typeof value === "object" && value !== null) for (const member of Object.values(value)) markedIn(member, marked);
  return marked;
}

function resolve(document: Schema, reference: string): unknown {
  if (!reference.startsWith("#")) return undefined;
  return reference
    .slice(1)
    .split("/")
    .slice(1)
    .reduce<unknown>((at, key) => {
      const name = decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");
      return typeof at === "object" && at !== null ? (at as Record<string, unknown>)[name] : undefined;
    }, document);
}

function isTable(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
const single = (value: unknown): Schema[] => (isTable(value) ? [value] : []);
const many = (value: unknown): Schema[] => (Array.isArray(value) ? value.filter(isTable) : []);
const members = (value: unknown): Schema[] => (isTable(value) ? Object.values(value).filter(isTable) : []);

function invalid(reason: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", `x-secret: ${reason}`);
}
