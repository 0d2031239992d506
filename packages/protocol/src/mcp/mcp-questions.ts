/**
 * What an MCP server may ask its caller if the operator permits it: a person to fill in a form, a model to write a
 * message, a client to list its folders. The answer is data for that server and has no authority over the gate.
 */

export const ASK_KINDS = ["elicitation", "sampling", "roots"] as const;
export type AskKind = (typeof ASK_KINDS)[number];

export const ASK_METHODS = {
  elicitation: "elicitation/create",
  sampling: "sampling/createMessage",
  roots: "roots/list",
} as const satisfies Record<AskKind, string>;

/** One question, as far as it is passed on to the client. */
export interface UpstreamQuestion {
  readonly kind: AskKind;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Questions that one server asks at once, by the names that the server gives them. */
export type UpstreamQuestions = Readonly<Record<string, UpstreamQuestion>>;

export function isAskKind(value: unknown): value is AskKind {
  return ASK_KINDS.some((kind) => kind === value);
}

export function askKindOf(method: unknown): AskKind | null {
  return ASK_KINDS.find((kind) => ASK_METHODS[kind] === method) ?? null;
}
