/**
 * What an MCP server may ask whoever calls it, where its operator lets it: a person for a form, a model for a message, a
 * client for its folders. The answer is data for that server. It is nobody's word to the gate.
 */

export const ASK_KINDS = ["elicitation", "sampling", "roots"] as const;
export type AskKind = (typeof ASK_KINDS)[number];

export const ASK_METHODS = {
  elicitation: "elicitation/create",
  sampling: "sampling/createMessage",
  roots: "roots/list",
} as const satisfies Record<AskKind, string>;

/** One question, as far as it goes on to the client. */
export interface UpstreamQuestion {
  readonly kind: AskKind;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Questions of one server that are asked at once, by the names that it gives them. */
export type UpstreamQuestions = Readonly<Record<string, UpstreamQuestion>>;

export function isAskKind(value: unknown): value is AskKind {
  return ASK_KINDS.some((kind) => kind === value);
}

export function askKindOf(method: unknown): AskKind | null {
  return ASK_KINDS.find((kind) => ASK_METHODS[kind] === method) ?? null;
}
