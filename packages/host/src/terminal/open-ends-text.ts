/** What waits for an operator, with the command that shows it. */

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
export function openEnds({ waiting, unresolved }: OpenEnds): string[] {
  return [...(waiting === 0 ? [] : [waitingText(waiting)]), ...(unresolved === 0 ? [] : [unresolvedText(unresolved)])];
}
