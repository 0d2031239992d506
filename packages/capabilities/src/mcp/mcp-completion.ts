/** Suggestions of a server for an argument of a prompt or a variable of a template. */
import { FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";

export interface Completing {
  readonly argument: string;
  readonly value: string;
}

/** Expects arguments that match the schema. */
export function completionParams({ name, uri, arguments: given }: JsonObject, complete: Completing): JsonObject {
  const ref: JsonObject =
    typeof name === "string" ? { type: "ref/prompt", name } : { type: "ref/resource", uri: uri ?? "" };
  const { argument, value } = complete;
  const context: JsonObject = given === undefined ? {} : { context: { arguments: given } };
  return { ref, argument: { name: argument, value }, ...context };
}

/** INVARIANT: I8: suggestions are shown to a person who chooses: they are plain, short, and few enough to look at. */
export function completionResult({ completion }: JsonObject): JsonObject {
  const { values, total, hasMore } = Object(completion) as JsonObject;
  if (!Array.isArray(values)) throw new FemtoError("FEMTO_UPSTREAM_FAILED", "the server's answer holds no completions");
  const texts = values.filter((value) => typeof value === "string").slice(0, LIMITS.completions);
  const structured = {
    values: texts.map((value) => printable(value, LIMITS.completionChars)),
    ...(Number.isSafeInteger(total) && Number(total) >= 0 ? { total: Number(total) } : {}),
    ...(typeof hasMore === "boolean" ? { hasMore: hasMore || values.length > texts.length } : {}),
  };
  return { content: [], structured_content: structured, is_error: false, untrusted: true };
}
