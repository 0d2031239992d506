/**
 * Freezes plain data with everything in it, and returns it. For what is handed out to somebody who could otherwise
 * change what is in force, by mistake or on purpose.
 */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const member of Object.values(value)) frozen(member);
  return value;
}
