/**
 * The secret that a client of the HTTP endpoint has to show, because every process on this machine can reach the port.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

/** LIMIT: characters of a token. If they are random, 32 characters of base64url have 192 bits. */
export const TOKEN_CHARS = { min: 32, max: 512 } as const;

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

export function isToken(text: string): boolean {
  const { min, max } = TOKEN_CHARS;
  return text.length >= min && text.length <= max && BEARER.test(`Bearer ${text}`);
}

/** INVARIANT: I8: comparing takes as long for a wrong token as for the right one. */
export function showsToken({ headers }: IncomingMessage, token: string): boolean {
  const shown = BEARER.exec(headers.authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(shown), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
