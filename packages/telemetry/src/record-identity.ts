/**
 * The trace and span of a record. They follow from the record alone, so that exporting it twice has the same result.
 */
import { createHash } from "node:crypto";
import { printable, type TypedRecord } from "@femtoclaw/protocol";

/** LIMIT: characters of a text in telemetry; names of unknown tools are as long as a client likes. */
const TEXT_CHARS_MAX = 256;

/**
 * INVARIANT: every text chosen by a client, a configuration or a program passes through here on its way into telemetry.
 */
export function told(text: string): string {
  return printable(text, TEXT_CHARS_MAX);
}

/** A session is one trace, and so is everything that a boot does without a session. */
export function traceIdOf({ session, boot }: Pick<TypedRecord, "session" | "boot">): string {
  return digest(`t${session ?? boot}`).slice(0, 32);
}

export function spanIdOf({ boot, seq }: Pick<TypedRecord, "boot" | "seq">): string {
  return digest(`${boot}/${seq}`).slice(0, 16);
}

/** Microseconds of the wall clock. It may have jumped, so nothing is ordered or measured by it. */
export function wallUsOf({ at }: Pick<TypedRecord, "at">): number {
  return Date.parse(`${at.slice(0, 23)}Z`) * 1000 + Number(at.slice(23, 26));
}

/** The form in which the SDK takes times. */
export function timeOf(us: number): [seconds: number, nanoseconds: number] {
  return [Math.floor(us / 1_000_000), Math.round(us % 1_000_000) * 1000];
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
