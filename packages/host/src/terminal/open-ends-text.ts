/** What waits for an operator, with the command that shows it. */

/** Calls that were asked about and have no answer. */
export function waitingText(count: number): string {
  return `${count} ${count === 1 ? "call waits" : "calls wait"} for an operator: look with \`femtoclaw approvals list\``;
}

/** Executions that nobody knows the outcome of, and nobody has said. */
export function unresolvedText(count: number): string {
  return `${count} interrupted and unresolved: look with \`femtoclaw executions list --state interrupted\`, then say with \`femtoclaw executions resolve\` what became of each`;
}

/** What a host finds when it starts, and an operator alone can end; nothing goes on with it by itself. */
export function openEnds({ waiting, unresolved }: { readonly waiting: number; readonly unresolved: number }): string[] {
  return [...(waiting === 0 ? [] : [waitingText(waiting)]), ...(unresolved === 0 ? [] : [unresolvedText(unresolved)])];
}
