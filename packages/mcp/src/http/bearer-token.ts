/** The secret that a client of the HTTP endpoint has to show: every process of this machine can reach the port. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** LIMIT: characters of a token; 32 of base64url are 192 bits where they are random. */
export const TOKEN_CHARS = { min: 32, max: 512 } as const;

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

export function isToken(text: string): boolean {
  const { min, max } = TOKEN_CHARS;
  return text.length >= min && text.length <= max && BEARER.test(`Bearer ${text}`);
}

/** INVARIANT: I8: the comparison takes as long for a wrong token as for the right one. */
export function showsToken({ headers }: IncomingMessage, token: string): boolean {
  const shown = BEARER.exec(headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(shown), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
