/** A call that a model wants: as a message of the protocol, and its outcome as the model is told. */
import { Buffer } from "node:buffer";
import { faultText, refusalText, resultText } from "@femtoclaw/client";
import { type FemtoError, LIMITS, type Reply } from "@femtoclaw/protocol";
import type { ToolResultPart } from "ai";

/** A call as a model wrote it. */
export interface ProposedCall {
  /** The model's own name for the call; it proves nothing and decides nothing. */
  readonly id: string;
  /** Name of a capability, whether it exists or not. */
  readonly tool: string;
  /** The arguments as the model wrote them, valid or not. */
  readonly args: string;
}

/** What the host answered, or why it was not asked or could not answer. */
export type CallAnswer = { readonly call: ProposedCall } & (
  | {
      readonly reply: Reply;
      /** The call was withdrawn, because no operator had answered in time. */
      readonly unanswered?: true;
    }
  | { readonly fault: FemtoError }
);

/** What became of a call that was withdrawn for that reason. The reply says only who withdrew it, and how to try again. */
export const UNANSWERED = {
  reason: "no operator answered in time, so the call was withdrawn and nothing was executed",
  fix: "Continue without it. If you send it again, an operator is asked again.",
} as const;

/**
 * INVARIANT: I4: the gate gets exactly the text that the model wrote. So a text that two parsers could read differently
 * is refused there, and recorded. What a parser made of it here is never proposed.
 */
export function messageOf({ tool, args }: ProposedCall): Buffer {
  const written = args.trim() === "" ? "{}" : args;
  const message = Buffer.from(`{"tool_call":{"tool":${JSON.stringify(tool)},"args":${written}}}`);
  // One byte beyond the limit is enough for the host to refuse the message, and to record that.
  return message.length > LIMITS.messageBytes ? Buffer.alloc(LIMITS.messageBytes + 1, "x") : message;
}

/** What the model is told about its call, in at most `charsMax` characters. */
export function resultPart(answer: CallAnswer, charsMax: number): ToolResultPart {
  const { id, tool } = answer.call;
  const part = { type: "tool-result", toolCallId: id, toolName: tool } as const;
  if ("fault" in answer) {
    const { code, message: reason, fix } = answer.fault;
    const value = clipped(faultText("error", { code, reason, fix }), charsMax);
    return { ...part, output: { type: "error-text", value } };
  }
  const { reply, unanswered = false } = answer;
  if (unanswered && reply.error !== undefined) {
    const value = clipped(faultText(reply.status, { code: reply.error.code, ...UNANSWERED }), charsMax);
    return { ...part, output: { type: "error-text", value } };
  }
  if (reply.status === "completed") {
    return { ...part, output: { type: "text", value: clipped(resultText(reply.result ?? {}), charsMax) } };
  }
  return { ...part, output: { type: "error-text", value: clipped(refusalText(reply), charsMax) } };
}

/** Keeps the beginning and the end, where most outputs say what they are and how they ended. */
export function clipped(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const tail = Math.floor(charsMax / 4);
  const head = charsMax - tail;
  const gap = `\n[${text.length - charsMax} characters are left out here; ask for less at a time]\n`;
  return `${text.slice(0, head).toWellFormed()}${gap}${text.slice(text.length - tail).toWellFormed()}`;
}
