/** What waits for an operator, with the command that shows it, and what a start says of that. */
import { printable } from "@femtoclaw/protocol";

/** Calls that operators were asked about but have not answered. */
export function waitingText(count: number): string {
  return `${count} ${count === 1 ? "call waits" : "calls wait"} for an operator: look with \`femtoclaw approvals list\``;
}

/** Executions whose outcome is unknown and has not been stated by an operator. */
export function unresolvedText(count: number): string {
  return `${count} interrupted and unresolved: look with \`femtoclaw executions list --state interrupted\`, then say with \`femtoclaw executions resolve\` what became of each`;
}

/** How many calls wait for an operator at a host's start, and how many executions have an unknown outcome. */
export interface OpenEnds {
  readonly waiting: number;
  readonly unresolved: number;
}

/** What a host finds at its start and only an operator can end. Nothing continues by itself. */
function openEnds({ waiting, unresolved }: OpenEnds): string[] {
  return [...(waiting === 0 ? [] : [waitingText(waiting)]), ...(unresolved === 0 ? [] : [unresolvedText(unresolved)])];
}

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
