/**
 * What a program writes while its call runs, for those who watch. This is only observation: the result of a call stands
 * in its outcome alone. Output that a reader is too slow for is counted and left out.
 */
import type { UpstreamNotice } from "../mcp/mcp-notices.ts";

export type OutputStream = "stdout" | "stderr";

/** A piece of text from one of the outputs, without secrets, in the order in which it came. */
export interface OutputPart {
  /** `upstream`: what an MCP server said besides its answer, as a line that begins with the server's name. */
  readonly stream: OutputStream | "upstream";
  readonly text: string;
  /** The same as data; only for `upstream`. */
  readonly notice?: UpstreamNotice;
  /** Bytes before this text that are no longer kept. */
  readonly skipped: number;
}

/** The output from a given place on, and how it goes on. */
export interface WatchedOutput {
  readonly execution: string;
  readonly parts: readonly Omit<OutputPart, "skipped">[];
  /** Bytes between the requested place and the first byte that is still kept. */
  readonly skipped: number;
  /** The place at which the next request should begin. */
  readonly next: number;
  /** `waiting`: for its turn or for an operator. `ended`: no more output comes, and the outcome is recorded. */
  readonly state: "waiting" | "running" | "ended";
}

/**
 * Requests output from one place to the next until the execution has ended. A consumer that takes parts slowly is given
 * fewer of them.
 */
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

/** The parts of one answer, in order. A gap that nothing follows becomes a part without text. */
export function outputParts({ parts, skipped }: Pick<WatchedOutput, "parts" | "skipped">): OutputPart[] {
  if (parts.length === 0) return skipped === 0 ? [] : [{ stream: "stdout", text: "", skipped }];
  return parts.map((part, index) => ({ ...part, skipped: index === 0 ? skipped : 0 }));
}

/** What has changed for a session, apart from its calls, since its last request. */
export interface WatchedChanges {
  /** The place at which the next request should begin. */
  readonly next: number;
  /** Whether the offered tools, resources and prompts may have changed. */
  readonly offered: boolean;
  /** Changed resources that the session is subscribed to. */
  readonly updated: readonly { readonly server: string; readonly uri: string }[];
  /** Subscriptions that ended without the session ending them. */
  readonly ended: readonly { readonly server: string; readonly uri: string; readonly reason: string }[];
}
