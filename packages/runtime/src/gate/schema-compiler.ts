/** Compiles schemas that an embedder brings. Loaded only where there are any: Ajv takes longer to load than a start has. */
import type { ValidationError, Validator } from "@femtoclaw/protocol";
import { Ajv2020 } from "ajv/dist/2020.js";
import { ARGUMENT_SCHEMA_OPTIONS, SECRET_KEYWORD } from "./argument-schema-options.ts";

/** Checks schemas against the schema of schemas. Compiling that one takes 15 ms, so all runtimes of a process share it. */
const SCHEMAS = new Ajv2020();

/** A compiler for schemas that do not know of each other; what it returns throws for one that is not valid. */
export function schemaCompiler(): (schema: object) => Validator {
  const ajv = new Ajv2020({ ...ARGUMENT_SCHEMA_OPTIONS, validateSchema: false });
  ajv.addVocabulary([SECRET_KEYWORD]);
  return (schema) => {
    if (SCHEMAS.validateSchema(schema) !== true) throw new Error(SCHEMAS.errorsText());
    const validate = ajv.compile(schema);
    const wrapped = (value: unknown): boolean => validate(value) === true;
    return Object.defineProperty(wrapped, "errors", {
      get: () => (validate.errors ?? []) as readonly ValidationError[],
    }) as Validator;
  };
}
