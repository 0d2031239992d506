/** LevelDB's variable-length integer at `at`, or undefined when it does not end or is too large. */
export function readVarint(bytes: Uint8Array, at: number): { value: number; next: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let next = at; next < bytes.length; ) {
    const byte = bytes[next] ?? 0;
    next += 1;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, next } : undefined;
    factor *= 128;
    if (factor > 2 ** 63) return undefined;
  }
  return undefined;
}
