/** What FemtoClaw tells of a call, found by its label. */
import type { Told } from "./system.ts";

export interface LabelledExecution {
  readonly label: string | null;
  readonly status: string;
}

export function toldAs(id: string, executions: readonly LabelledExecution[]): Told {
  const status = executions.find(({ label }) => label === id)?.status ?? "nothing";
  if (status === "completed" || status === "interrupted" || status === "nothing") return status;
  throw new Error(`the call ended as ${status}`);
}
