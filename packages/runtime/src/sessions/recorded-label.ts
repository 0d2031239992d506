/** What a client calls itself, or one of its calls, as records hold it. */
import { redact } from "@femtoclaw/journal/live";
import { LIMITS, printable } from "@femtoclaw/protocol";

/** Secrets are taken out before the label is cut: half of a secret would not be recognized as one. */
export function recordedLabel(label: string): string {
  return printable(redact(label).value, LIMITS.labelChars);
}
