/** The host's log: one JSON object a line on stderr. Never the audit; that is the journal. */
import { visibleJson } from "@femtoclaw/protocol";
import type { LogEntry } from "@femtoclaw/runtime";

const LEVELS = { info: 0, warn: 1, error: 2 } as const;

/** No field of a line forges another line, or commands the terminal on which somebody reads it. */
export function logToStderr(least: LogEntry["level"]): (entry: LogEntry) => void {
  return (entry) => {
    if (LEVELS[entry.level] < LEVELS[least]) return;
    process.stderr.write(`${visibleJson({ at: new Date().toISOString(), ...entry })}\n`);
  };
}
