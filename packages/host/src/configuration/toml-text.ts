/**
 * Writes values as TOML text. Characters that would hide or reorder text on a screen are escaped, so that a reader sees
 * them.
 */

const HIDDEN = /["\\\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2028\u2029\u2800]/gu;

/** A basic string whose value is exactly `text`. */
export function tomlString(text: string): string {
  return `"${text.replace(HIDDEN, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === "\\") return `\\${character}`;
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}

export function tomlList(texts: readonly string[]): string {
  return `[${texts.map(tomlString).join(", ")}]`;
}
