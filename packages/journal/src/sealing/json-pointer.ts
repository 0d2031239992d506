/** JSON pointers, by which records name places in their bodies. */
import { jsonPointer, pointerTokens } from "@femtoclaw/protocol";

export function pointer(parent: string, key: string | number): string {
  return `${parent}${jsonPointer([key])}`;
}

/** Whether `path` equals `ancestor` or lies below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}

/** A copy of `value` with the replacement at this path; undefined if the path does not exist. */
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

/** Built from entries, so that a member called `__proto__` is treated like any other. */
function withMember(value: object, key: string, member: unknown): object {
  return Object.fromEntries(Object.entries(value).map(([name, old]) => [name, name === key ? member : old]));
}
