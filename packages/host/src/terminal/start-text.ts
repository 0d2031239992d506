/** What a start says of a host that has come up. */
import { printable } from "@femtoclaw/protocol";
import { type OpenEnds, openEnds } from "./open-ends-text.ts";

/** What the first line of a started host tells, as JSON. */
export interface StartedHost extends OpenEnds {
  /** Why it takes no calls; null if it takes them. */
  readonly not_ready: { readonly code: string; readonly reason: string } | null;
}

/** A host that takes no calls is up and can be looked at and stopped, but nobody should take it for ready. */
export function startText({ not_ready }: StartedHost, where: string): string {
  return `${not_ready === null ? "ready" : "up, but takes no calls"}: ${where}`;
}

/** What somebody has to do, or at least to know, before the host does everything that it is there for. */
export function startLines(started: StartedHost): string[] {
  const { not_ready } = started;
  if (not_ready === null) return openEnds(started);
  return [
    `warning: ${not_ready.code}: ${printable(not_ready.reason, 2_000)}`,
    `  fix: ${FIXES[not_ready.code] ?? "See with `femtoclaw status` what is missing."} Once that is mended, the host takes calls by itself.`,
    ...openEnds(started),
  ];
}

/** Instead of the usual fix, which tells somebody whose call was refused to send it again. */
const FIXES: Readonly<Record<string, string>> = {
  FEMTO_DISK_FULL: "Free space on the disk of the state directory.",
  FEMTO_UNWITNESSED: "See with `femtoclaw audit witness` which witness fails, and why.",
};
