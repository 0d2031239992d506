/** Reads the configuration's schema for people: what a place may hold, and which keys it knows. */
import { printable } from "@femtoclaw/protocol";
import document from "@femtoclaw/schemas/config.schema.json" with { type: "json" };

/** The part of JSON Schema that config.schema.json uses. */
interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly string[];
  readonly $ref?: string;
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const ROOT: Schema = document;

/** Every schema that may apply at the place; more than one if the schema offers a choice. */
function choicesAt(tokens: readonly string[]): readonly Schema[] {
  return tokens.reduce<readonly Schema[]>(
    (schemas, token) => schemas.flatMap((schema) => below(schema, token)).flatMap(choices),
    choices(ROOT),
  );
}

function choices(schema: Schema): readonly Schema[] {
  if (schema.$ref !== undefined) {
    const target = ROOT.$defs?.[schema.$ref.replace("#/$defs/", "")];
    return target === undefined ? [] : choices(target);
  }
  return schema.oneOf?.flatMap(choices) ?? [schema];
}

function below(schema: Schema, token: string): readonly Schema[] {
  if (schema.items !== undefined) return [schema.items];
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, token)) {
    return [schema.properties[token] ?? {}];
  }
  return typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
}

/** The keys that a table at the place may have; empty if any key is allowed. */
export function knownKeys(tokens: readonly string[]): readonly string[] {
  return [...new Set(choicesAt(tokens).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** What may stand at the place, for example `a whole number from 1 to 1024`. */
export function expectedAt(tokens: readonly string[]): string {
  return [...new Set(choicesAt(tokens).map(expectation))].join(", or ");
}

/** What a freely chosen key at the place has to look like. */
export function expectedKeyAt(tokens: readonly string[]): string {
  return choicesAt(tokens)
    .flatMap((schema) =>
      schema.propertyNames === undefined ? [] : [expectation({ type: "string", ...schema.propertyNames })],
    )
    .join(", or ");
}

function expectation(schema: Schema): string {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => `"${value}"`).join(", ");
  switch (schema.type) {
    case "boolean":
      return "true or false";
    case "integer":
      return `a whole number${between(schema.minimum, schema.maximum, "")}`;
    case "string":
      return schema.pattern === undefined
        ? `text${between(schema.minLength, schema.maxLength, " characters")}`
        : `text that matches ${schema.pattern}`;
    case "array":
      return `a list${between(schema.minItems, schema.maxItems, " items")}`;
    default: {
      const keys = Object.keys(schema.properties ?? {});
      const table = `a table${between(schema.minProperties, schema.maxProperties, " entries")}`;
      return keys.length === 0 ? table : `${table} with ${keys.map((key) => `\`${key}\``).join(", ")}`;
    }
  }
}

function between(least: number | undefined, most: number | undefined, unit: string): string {
  if (least === undefined && most === undefined) return "";
  if (most === undefined) return least === 1 && unit !== "" ? " that is not empty" : ` from ${least}${unit}`;
  return ` ${unit === "" ? "from" : "of"} ${least ?? 0} to ${most}${unit}`;
}

/** A description of the value that was found instead, short and safe to print. */
export function describeFound(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object" && value !== null) return "a table";
  return typeof value === "string" ? `"${printable(value, 60)}"` : printable(String(value), 60);
}
