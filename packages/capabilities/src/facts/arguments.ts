/** Reads values out of the arguments of a call, by the pointers that a manifest declares. */
import { type JsonValue, pointerTokens } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { Refusal } from "./refusal.ts";

/** Follows an RFC 6901 pointer. Only own members count, so that no inherited name is ever an argument. */
export function valueAt(args: JsonObject, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const key of pointerTokens(pointer)) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.hasOwn(value, key) ? (value as JsonObject)[key] : undefined;
  }
  return value;
}

export function textAt(args: JsonObject, pointer: string): string {
  return requireText(valueAt(args, pointer), pointer);
}

/** Text that reaches no interface of the system, only a file or a terminal: a NUL is a character of it. */
export function contentAt(args: JsonObject, pointer: string): string {
  const value = valueAt(args, pointer);
  if (typeof value !== "string") throw new Refusal(`the argument ${pointer} is not a text`);
  return value;
}

/** Text that the system can take: a NUL would end it early, and a lone surrogate cannot be encoded. */
function requireText(value: JsonValue | undefined, place: string): string {
  if (typeof value !== "string") throw new Refusal(`the argument ${place} is not a text`);
  if (value.includes("\0")) throw new Refusal(`the argument ${place} holds a NUL character`);
  if (!value.isWellFormed()) throw new Refusal(`the argument ${place} is not well-formed Unicode`);
  return value;
}

export function textsAt(args: JsonObject, pointer: string, itemsMax: number): string[] {
  const values = valueAt(args, pointer) ?? [];
  if (!Array.isArray(values)) throw new Refusal(`the argument ${pointer} is not a list`);
  if (values.length > itemsMax) throw new Refusal(`the argument ${pointer} has more than ${itemsMax} items`);
  return values.map((value, index) => requireText(value, `${pointer}/${index}`));
}

/** Variables by name. Names are checked here as well, because the name `A=B` would set another variable. */
export function variablesAt(args: JsonObject, pointer: string): Record<string, string> {
  const values = valueAt(args, pointer) ?? {};
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    throw new Refusal(`the argument ${pointer} is not an object`);
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        throw new Refusal(`the argument ${pointer} has a name that is no variable's`);
      return [name, requireText(value, `${pointer}/${name}`)];
    }),
  );
}
