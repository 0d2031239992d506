/** Converts between text and bytes, exactly in both directions or not at all. */
export type Encoding = "utf8" | "base64";

/** Null if the text does not encode bytes. */
export function contentBytes(text: string, encoding: Encoding): Buffer | null {
  if (encoding === "utf8") return text.isWellFormed() ? Buffer.from(text, "utf8") : null;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}

/** Null if the bytes are not text. */
export function contentText(bytes: Buffer, encoding: Encoding): string | null {
  if (encoding === "base64") return bytes.toString("base64");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
