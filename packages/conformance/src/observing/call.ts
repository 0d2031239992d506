/** Calls as a user makes them, and their replies reduced to what judgements look at. */
import type { Answered } from "../observations.ts";
import type { Place } from "../subject.ts";

/** The parts of a reply that are looked at. */
export interface SeenReply {
  readonly execution_id?: string;
  readonly status?: string;
  readonly decision?: string | null;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: string };
  readonly record?: { readonly seq: number | null } | null;
  readonly approval?: { readonly id: string };
}

export async function callOf(
  place: Place,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  more: readonly string[] = [],
): Promise<Answered> {
  const reply = await place.json<SeenReply>(["call", tool, JSON.stringify(args), ...more]);
  return answered(reply, reply.exit);
}

export function answered(reply: SeenReply, exit: number | null): Answered {
  const text = reply.result?.["stdout"] ?? reply.result?.["content"] ?? reply.result?.["body"];
  return {
    exit,
    status: reply.status ?? "none",
    decision: reply.decision ?? null,
    code: reply.error?.code ?? null,
    seq: reply.record?.seq ?? null,
    execution: reply.execution_id ?? null,
    text: typeof text === "string" ? text : null,
    truncated: reply.result?.["truncated"] === true,
  };
}
