/** JSON with sorted members, so that equal values have equal texts. The caller bounds the depth. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => (isPlainObject(member) ? sorted(member) : member)) ?? "null";
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(members).sort(([left], [right]) => (left < right ? -1 : 1));
  // Has no prototype, so that a member called `__proto__` is a member.
  return Object.assign(Object.create(null), Object.fromEntries(entries)) as Readonly<Record<string, unknown>>;
}
