/** Turns the validators' findings into one sentence that names each place and what was expected there. */

import type { ValidationError } from "../generated/validators.js";
import { printable } from "../text/display.ts";

const SHOWN_MAX = 3;

export function describeViolations(errors: readonly ValidationError[]): string {
  const sentences = [...new Set(errors.filter((error) => !ECHOES.has(error.keyword)).map(describe))];
  const all = sentences.length > 0 ? sentences : ["the value does not match its schema"];
  const more = all.length - SHOWN_MAX;
  return all.slice(0, SHOWN_MAX).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Keywords that only repeat that something below or beside them failed. */
const ECHOES: ReadonlySet<string> = new Set(["if", "oneOf", "anyOf", "allOf"]);

function describe(error: ValidationError): string {
  const place = error.instancePath === "" ? "the value" : `\`${printable(error.instancePath)}\``;
  const { params } = error;
  switch (error.keyword) {
    case "required":
      return `${place} lacks \`${String(params["missingProperty"])}\``;
    case "additionalProperties":
    case "unevaluatedProperties":
      return `${place} has the unknown field \`${printable(String(params["additionalProperty"] ?? params["unevaluatedProperty"]))}\``;
    case "type":
      return `${place} must be of type ${String(params["type"])}`;
    case "enum":
      return `${place} must be one of ${JSON.stringify(params["allowedValues"])}`;
    case "false schema":
      return `${place} must not be there`;
    case "const":
      return `${place} must be ${JSON.stringify(params["allowedValue"])}`;
    default:
      return `${place} ${error.message ?? "does not match its schema"}`;
  }
}
