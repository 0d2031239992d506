/** The host's log: one JSON object per line on stderr. It is no audit trail; that is the journal. */
import { visibleJson } from "@femtoclaw/protocol";
import type { LogEntry } from "@femtoclaw/runtime";

const LEVELS = { info: 0, warn: 1, error: 2 } as const;

/** No field can forge another line or control the terminal on which somebody reads the log. */
export function logToStderr(least: LogEntry["level"]): (entry: LogEntry) => void {
  return (entry) => {
    if (LEVELS[entry.level] < LEVELS[least]) return;
    process.stderr.write(`${visibleJson({ at: new Date().toISOString(), ...entry })}\n`);
  };
}
