/** The host's log: one JSON object a line on stderr. Never the audit; that is the journal. */
import type { LogEntry } from "@femtoclaw/runtime";

const LEVELS = { info: 0, warn: 1, error: 2 } as const;

/** JSON escapes control characters by itself, so a log line cannot be forged from a field. */
export function logToStderr(least: LogEntry["level"]): (entry: LogEntry) => void {
  return (entry) => {
    if (LEVELS[entry.level] < LEVELS[least]) return;
    process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`);
  };
}
