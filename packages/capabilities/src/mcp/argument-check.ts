/**
 * Checks arguments against the input schema of an MCP server's tool. A stranger wrote that schema: it is interpreted
 * and never compiled to code, each check has a limited number of steps, and nothing is fetched.
 */
import { jsonPointer, LIMITS, type ValidationError, type Validator } from "@femtoclaw/protocol";
import { canonicalJson } from "./canonical-json.ts";
import { isObject, PreparedSchema, type Schema, schemaAt } from "./prepared-schema.ts";

/** Characters compared, and names looked up, in one step; both take about as long as any other step. */
const CHARS_PER_STEP = 16;
const NAMES_PER_STEP = 8;
/** Steps for matching a pattern, however short the text is. */
const PATTERN_STEPS = 16;

/** Keywords by which a schema can depend on something outside of itself. */
const ELSEWHERE = ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];

/** Why the schema cannot be used for checks; null if it can. Its depth and size have already been limited. */
export function schemaProblem(schema: Readonly<Record<string, unknown>>): string | null {
  if (schema["type"] !== "object") return "its input schema is not that of an object";
  const left: unknown[] = [schema];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (typeof at !== "object" || at === null) continue;
    const members = at as Readonly<Record<string, unknown>>;
    const elsewhere = ELSEWHERE.find((keyword) => typeof members[keyword] === "string");
    if (elsewhere !== undefined) return `its input schema uses \`${elsewhere}\``;
    const { $ref } = members;
    if (typeof $ref === "string" && schemaAt(schema, $ref) === null) {
      return "its input schema refers to a place outside of itself";
    }
    left.push(...Object.values(members).filter((member) => typeof member === "object" && member !== null));
  }
  return null;
}

/** What becomes of a text that would take too long to match: a server of MCP checks it by itself, others do not. */
type Unmatched = "passes" | "fails";

/** Expects a schema for which `schemaProblem` found no problem. */
export function argumentValidator(
  schema: Readonly<Record<string, unknown>>,
  unmatched: Unmatched = "passes",
): Validator {
  let errors: readonly ValidationError[] = [];
  const prepared = new PreparedSchema(schema);
  const validate = (value: unknown): boolean => {
    const check = new Check(prepared, unmatched);
    errors = check.run(value);
    return errors.length === 0;
  };
  return Object.defineProperty(validate, "errors", { get: () => errors }) as Validator;
}

class TooMuch extends Error {}

class Check {
  readonly #schema: PreparedSchema;
  readonly #unmatched: Unmatched;
  #steps: number = LIMITS.upstreamCheckSteps;
  #found: ValidationError | null = null;

  constructor(schema: PreparedSchema, unmatched: Unmatched) {
    this.#schema = schema;
    this.#unmatched = unmatched;
  }

  run(value: unknown): readonly ValidationError[] {
    try {
      if (this.#holds(this.#schema.root, value, [])) return [];
    } catch (error) {
      // INVARIANT: I9: what cannot be checked in limited time is refused, a schema that refers to itself for ever
      // included.
      if (!(error instanceof TooMuch) && !(error instanceof RangeError)) throw error;
      return [finding([], "cost", "cannot be checked against the schema of the server within the limit", {})];
    }
    return [this.#found ?? finding([], "schema", "does not match its schema", {})];
  }

  #spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new TooMuch();
  }

  #holds(schema: Schema, value: unknown, place: readonly string[]): boolean {
    this.#spend(1);
    if (typeof schema === "boolean") return schema || this.#fail(place, "false schema", "is not expected", {});
    if (typeof schema["$ref"] === "string") {
      const target = this.#schema.target(schema["$ref"]);
      if (target !== null && !this.#holds(target, value, place)) return false;
    }
    return (
      this.#hasType(schema, value, place) &&
      this.#isAmong(schema, value, place) &&
      this.#combines(schema, value, place) &&
      (typeof value !== "string" || this.#text(schema, value, place)) &&
      (typeof value !== "number" || this.#number(schema, value, place)) &&
      (!Array.isArray(value) || this.#list(schema, value, place)) &&
      (!isObject(value) || this.#object(schema, value, place))
    );
  }

  #hasType({ type }: Exclude<Schema, boolean>, value: unknown, place: readonly string[]): boolean {
    const single = typeof type === "string" ? [type] : null;
    const types = Array.isArray(type) ? type : single;
    if (types === null) return true;
    this.#spend(types.length / NAMES_PER_STEP);
    if (types.some((name) => isOfType(name, value))) return true;
    return this.#fail(place, "type", "", { type: types.map(nameIn).join(" or ") });
  }

  #isAmong(schema: Exclude<Schema, boolean>, value: unknown, place: readonly string[]): boolean {
    const listed = this.#schema.valuesOf(schema);
    if (listed === null) return true;
    const text = canonicalJson(value);
    this.#spend(text.length / CHARS_PER_STEP);
    if (listed.texts.has(text)) return true;
    return this.#fail(place, "enum", "", { allowedValues: listed.values.slice(0, 16) });
  }

  #combines(schema: Exclude<Schema, boolean>, value: unknown, place: readonly string[]): boolean {
    const { allOf, anyOf, oneOf, not } = schema;
    if (Array.isArray(allOf) && !allOf.every((one) => this.#holds(asSchema(one), value, place))) return false;
    if (Array.isArray(anyOf) && !anyOf.some((one) => this.#matches(one, value, place))) {
      return this.#fail(place, "choice", "is none of what its schema lets it be", {});
    }
    if (Array.isArray(oneOf) && oneOf.filter((one) => this.#matches(one, value, place)).length !== 1) {
      return this.#fail(place, "choice", "is not exactly one of what its schema lets it be", {});
    }
    if (not !== undefined && this.#matches(not, value, place)) {
      return this.#fail(place, "not", "is what its schema excludes", {});
    }
    if (schema["if"] === undefined) return true;
    const next = this.#matches(schema["if"], value, place) ? schema["then"] : schema["else"];
    return next === undefined || this.#holds(asSchema(next), value, place);
  }

  /** Findings within a branch are not findings of the whole. */
  #matches(schema: unknown, value: unknown, place: readonly string[]): boolean {
    const before = this.#found;
    const holds = this.#holds(asSchema(schema), value, place);
    this.#found = before;
    return holds;
  }

  #text(schema: Exclude<Schema, boolean>, value: string, place: readonly string[]): boolean {
    const { minLength, maxLength, pattern } = schema;
    if (typeof minLength === "number" || typeof maxLength === "number") {
      this.#spend(value.length >> 6);
      const length = [...value].length;
      if (length < bound(minLength, 0) || length > bound(maxLength, Number.POSITIVE_INFINITY)) {
        return this.#fail(place, "length", `has ${length} characters, which its schema does not allow`, {});
      }
    }
    if (typeof pattern !== "string") return true;
    this.#spend(PATTERN_STEPS);
    const bounded = this.#schema.pattern(pattern);
    const steps = bounded?.stepsOn(value.length) ?? null;
    if (bounded === null || steps === null) {
      const message = `has ${value.length} characters, too many to match them against the pattern of its schema`;
      return this.#unmatched === "passes" || this.#fail(place, "pattern", message, {});
    }
    this.#spend(steps);
    return bounded.expression.test(value) || this.#fail(place, "pattern", "does not match its pattern", {});
  }

  #number(schema: Exclude<Schema, boolean>, value: number, place: readonly string[]): boolean {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
    const holds =
      value >= bound(minimum, Number.NEGATIVE_INFINITY) &&
      value <= bound(maximum, Number.POSITIVE_INFINITY) &&
      (typeof exclusiveMinimum !== "number" || value > exclusiveMinimum) &&
      (typeof exclusiveMaximum !== "number" || value < exclusiveMaximum) &&
      (!Number.isInteger(multipleOf) || !Number.isInteger(value) || value % Number(multipleOf) === 0);
    return holds || this.#fail(place, "number", "is a number that its schema does not allow", {});
  }

  #list(schema: Exclude<Schema, boolean>, value: readonly unknown[], place: readonly string[]): boolean {
    const { minItems, maxItems, uniqueItems, prefixItems, items } = schema;
    this.#spend(value.length);
    if (value.length < bound(minItems, 0) || value.length > bound(maxItems, Number.POSITIVE_INFINITY)) {
      return this.#fail(place, "items", `has ${value.length} items, which its schema does not allow`, {});
    }
    if (uniqueItems === true && this.#hasTwice(value)) {
      return this.#fail(place, "uniqueItems", "has an item twice", {});
    }
    const first = Array.isArray(prefixItems) ? prefixItems : [];
    return value.every((item, index) => {
      const own: unknown = index < first.length ? first[index] : items;
      return own === undefined || Array.isArray(own) || this.#holds(asSchema(own), item, [...place, String(index)]);
    });
  }

  #hasTwice(items: readonly unknown[]): boolean {
    const texts = new Set<string>();
    for (const item of items) {
      const text = canonicalJson(item);
      this.#spend(text.length / CHARS_PER_STEP);
      texts.add(text);
    }
    return texts.size < items.length;
  }

  #object(
    schema: Exclude<Schema, boolean>,
    value: Readonly<Record<string, unknown>>,
    place: readonly string[],
  ): boolean {
    const { required, properties, patternProperties, additionalProperties, minProperties, maxProperties } = schema;
    const names = Object.keys(value);
    this.#spend(names.length);
    const asked = Array.isArray(required) ? required : [];
    this.#spend(asked.length / NAMES_PER_STEP);
    const missing = asked.map(nameIn).find((name) => !Object.hasOwn(value, name));
    if (missing !== undefined) return this.#fail(place, "required", "", { missingProperty: missing });
    if (names.length < bound(minProperties, 0) || names.length > bound(maxProperties, Number.POSITIVE_INFINITY)) {
      return this.#fail(place, "properties", `has ${names.length} members, which its schema does not allow`, {});
    }
    const own = isObject(properties) ? properties : {};
    return names.every((name) => {
      const at = [...place, name];
      if (Object.hasOwn(own, name)) return this.#holds(asSchema(own[name]), value[name], at);
      // Names are not matched against these patterns, so if there are any, no name is known to be unexpected.
      if (patternProperties !== undefined || additionalProperties === undefined) return true;
      if (additionalProperties === false) {
        return this.#fail(place, "additionalProperties", "", { additionalProperty: name });
      }
      return this.#holds(asSchema(additionalProperties), value[name], at);
    });
  }

  #fail(place: readonly string[], keyword: string, message: string, params: Readonly<Record<string, unknown>>): false {
    this.#found ??= finding(place, keyword, message, params);
    return false;
  }
}

function finding(
  place: readonly string[],
  keyword: string,
  message: string,
  params: Readonly<Record<string, unknown>>,
): ValidationError {
  return { keyword, message, params, instancePath: jsonPointer(place), schemaPath: "" } as ValidationError;
}

/** Something that is not a schema at all permits nothing. */
function asSchema(value: unknown): Schema {
  return typeof value === "boolean" || isObject(value) ? value : false;
}

/** Where a stranger's schema has something else instead, no type and no member has that name; what it is does not tell itself. */
function nameIn(value: unknown): string {
  return typeof value === "string" ? value : "what is no name";
}

function isOfType(name: unknown, value: unknown): boolean {
  switch (name) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

function bound(limit: unknown, otherwise: number): number {
  return typeof limit === "number" ? limit : otherwise;
}
