/** Validators that were compiled from the built-in capabilities' schemas when these were written. */
import { createHash } from "node:crypto";
import type { Validator } from "@femtoclaw/protocol";
import { VALIDATORS } from "./generated/validators.js";

/** The validator of exactly this schema. INVARIANT: it is found by the whole text, so it is never that of another one. */
export function compiledAhead(schema: object): Validator | undefined {
  return VALIDATORS.get(createHash("sha256").update(JSON.stringify(schema)).digest("hex"));
}
