/** JSON pointers as records name places in their bodies. */
import { jsonPointer, pointerTokens } from "@femtoclaw/protocol";

export function pointer(parent: string, key: string | number): string {
  return `${parent}${jsonPointer([key])}`;
}

/** Whether `path` is the place `ancestor` or lies below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}

/** A copy of `value` with another value at the place; undefined when there is no such place. */
export function replacedAt(value: unknown, path: string, replacement: unknown): unknown {
  return replacedBelow(value, pointerTokens(path), replacement);
}

function replacedBelow(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  const member = replacedBelow((value as Record<string, unknown>)[key], rest, replacement);
  if (member === undefined) return undefined;
  if (Array.isArray(value)) return value.with(Number(key), member);
  return withMember(value, key, member);
}

/** Also a member called `__proto__` is only a member. */
function withMember(value: object, key: string, member: unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, old]) => [name, name === key ? member : old]));
}
