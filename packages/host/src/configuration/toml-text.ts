/**
 * Writes values as TOML text. Characters that hide, reorder or imitate text on a screen are escaped, so that a reader
 * sees them, and a host takes the file.
 */
import { disclosed } from "@femtoclaw/protocol";

/** A basic string whose value is exactly `text`. */
export function tomlString(text: string): string {
  return `"${disclosed(text.replace(/["\\]/g, "\\$&"), tomlEscape)}"`;
}

export function tomlEscape(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}

export function tomlList(texts: readonly string[]): string {
  return `[${texts.map(tomlString).join(", ")}]`;
}
