/**
 * What a program writes while its call runs, for those who look on. It is observation: what came of the call is said by
 * its outcome alone, and what a reader is too slow for is counted and left out.
 */
import type { UpstreamNotice } from "./mcp-notices.ts";

export type OutputStream = "stdout" | "stderr";

/** Text of one of its outputs, without secrets, in the order in which it came. */
export interface OutputPart {
  /** `upstream`: what an MCP server said beside its answer, as a line that begins with whose it is. */
  readonly stream: OutputStream | "upstream";
  readonly text: string;
  /** The same as data, of `upstream` alone. */
  readonly notice?: UpstreamNotice;
  /** Bytes in front of it that are not kept any more. */
  readonly skipped: number;
}

/** What is there from a place on, and how it goes on. */
export interface WatchedOutput {
  readonly execution: string;
  readonly parts: readonly Omit<OutputPart, "skipped">[];
  /** Bytes between the place that was asked for and what is still kept. */
  readonly skipped: number;
  /** Place of what follows. */
  readonly next: number;
  /** It waits for its turn or for an operator, it runs, or nothing more comes and its outcome is recorded. */
  readonly state: "waiting" | "running" | "ended";
}

/** Asks for more from one place to the next until the execution has ended; who takes parts slowly is given fewer. */
export async function* followOutput(
  watch: (from: number) => Promise<WatchedOutput>,
): AsyncGenerator<OutputPart, void, void> {
  for (let from = 0; ; ) {
    const watched = await watch(from);
    yield* outputParts(watched);
    if (watched.state === "ended") return;
    from = watched.next;
  }
}

/** What one answer tells, in order; a gap that nothing follows is told by a part without text. */
export function outputParts({ parts, skipped }: Pick<WatchedOutput, "parts" | "skipped">): OutputPart[] {
  if (parts.length === 0) return skipped === 0 ? [] : [{ stream: "stdout", text: "", skipped }];
  return parts.map((part, index) => ({ ...part, skipped: index === 0 ? skipped : 0 }));
}

/** What changed for a session beside its calls since it asked last. */
export interface WatchedChanges {
  /** From where to ask on. */
  readonly next: number;
  /** What is offered may be something else. */
  readonly offered: boolean;
  /** Resources that it is subscribed to and that changed. */
  readonly updated: readonly { readonly server: string; readonly uri: string }[];
  /** Subscriptions that nobody of the session ended and that are over. */
  readonly ended: readonly { readonly server: string; readonly uri: string; readonly reason: string }[];
}
