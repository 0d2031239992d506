/** Validators compiled from the schemas of the built-in capabilities ahead of time, by the generator. */
import { createHash } from "node:crypto";
import type { Validator } from "@femtoclaw/protocol";
import { VALIDATORS } from "./generated/validators.js";

/**
 * The validator of exactly this schema. INVARIANT: it is found by the schema's whole text, so it never belongs to
 * another one.
 */
export function compiledAhead(schema: object): Validator | undefined {
  return VALIDATORS.get(createHash("sha256").update(JSON.stringify(schema)).digest("hex"));
}
