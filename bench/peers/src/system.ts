/** What is measured: anything that takes a call, performs its effect, and answers once the outcome is durable. */

/** The same for everybody. Peers perform it themselves, FemtoClaw by the capability of that name. */
export type ToolCall =
  | { readonly tool: "fs_stat"; readonly args: { readonly path: string } }
  | { readonly tool: "process_exec"; readonly args: { readonly bin: string; readonly argv: readonly string[] } };

/** What a system reports of a call once nothing more happens to it by itself. */
export type Told = "completed" | "interrupted" | "nothing";

/** A system runs in a process of its own, and is killed with it, including every server that it started. */
export interface System {
  /** Resolves when the outcome is durable; rejects if there is none. */
  execute(id: string, call: ToolCall): Promise<void>;
  /** Asked after a restart over the same folder. If the system resumes the call, it is awaited. */
  told(id: string): Promise<Told>;
}

export interface Place {
  /** Holds everything that the system stores, over restarts. */
  readonly directory: string;
  /** For `crash`, the time that a peer waits after a crash is shortened; for `load`, it is left as it is. */
  readonly purpose: "load" | "crash";
}

/** Begins the last line of a system that failed, as opposed to one that was killed on purpose. */
export const LAST_WORDS = "failed: ";
