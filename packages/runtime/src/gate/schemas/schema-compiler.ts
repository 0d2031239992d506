/**
 * Compiles schemas that an embedder brings. Ajv is loaded with the first of them, because loading it takes longer than
 * most of a start. It is loaded synchronously, so that a start takes the same steps no matter who has loaded it before.
 */

import type { ValidationError, Validator } from "@femtoclaw/protocol";
import type { Ajv2020 } from "ajv/dist/2020.js";
import { loadAjv } from "#ajv";
import { ARGUMENT_SCHEMA_OPTIONS, SECRET_KEYWORD } from "./argument-schema-options.ts";

/**
 * Checks schemas against the meta-schema. Compiling the meta-schema takes 15 ms, so all runtimes of a process share it.
 */
const schemas = once((): Ajv2020 => new (loadAjv().Ajv2020)());

/** A compiler for schemas that do not refer to each other. The returned function throws if a schema is invalid. */
export function schemaCompiler(): (schema: object) => Validator {
  const ajv = once((): Ajv2020 => {
    const compiler = new (loadAjv().Ajv2020)({ ...ARGUMENT_SCHEMA_OPTIONS, validateSchema: false });
    return compiler.addVocabulary([SECRET_KEYWORD]);
  });
  return (schema) => {
    if (schemas().validateSchema(schema) !== true) throw new Error(schemas().errorsText());
    const validate = ajv().compile(schema);
    const wrapped = (value: unknown): boolean => validate(value) === true;
    return Object.defineProperty(wrapped, "errors", {
      get: () => (validate.errors ?? []) as readonly ValidationError[],
    }) as Validator;
  };
}

/** Makes the value on first use. */
function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
