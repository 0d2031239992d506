/** What is measured: whatever takes a call, does its effect, and answers once the outcome is durable. */

/** Everybody is given the same. Peers do it themselves, FemtoClaw by the capability of that name. */
export type ToolCall =
  | { readonly tool: "fs_stat"; readonly args: { readonly path: string } }
  | { readonly tool: "process_exec"; readonly args: { readonly bin: string; readonly argv: readonly string[] } };

/** What a system says of a call once nothing more becomes of it by itself. */
export type Told = "completed" | "interrupted" | "nothing";

/** It runs in a process of its own, and ends with that: by SIGKILL, with every server that it started. */
export interface System {
  /** Resolves when the outcome is durable; rejects where there is none. */
  execute(id: string, call: ToolCall): Promise<void>;
  /** Asked after a restart over the same folder; a system that takes the call up again is awaited. */
  told(id: string): Promise<Told>;
}

export interface Place {
  /** Everything that the system keeps lies here, and is there again after a restart. */
  readonly directory: string;
  /** What a peer waits for after a crash is shortened for the one, and left as it comes for the other. */
  readonly purpose: "load" | "crash";
}

/** How the last line begins of a system that ends because something went wrong, and not because it was to be killed. */
export const LAST_WORDS = "failed: ";
