import type { Clock } from "@femtoclaw/journal";

/** RFC 3339, UTC, milliseconds: for replies that people read. */
export function timestamp(clock: Clock): string {
  return new Date(clock.nowUs() / 1000).toISOString();
}
