/** How a call names an open terminal of its session, and the sizes that terminals can have. */
import { type DeclaredTerminal, LIMITS } from "@femtoclaw/protocol";

export const TERMINAL_ARGUMENT: DeclaredTerminal = { pointer: "/terminal_id", kind: "terminal" };

/** Member of an input schema. */
export const TERMINAL_ID = {
  type: "string",
  minLength: 1,
  maxLength: 64,
  description: "Identifier of an open terminal of this session, as terminal_open returned it.",
} as const;

export const COLS = {
  type: "integer",
  minimum: 1,
  maximum: LIMITS.terminalSide,
  description: "Columns of the screen.",
} as const;

export const ROWS = { type: "integer", minimum: 1, maximum: LIMITS.terminalSide, description: "Its rows." } as const;
