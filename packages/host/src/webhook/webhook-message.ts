/**
 * What a webhook is told about a question to operators: enough to call a person, and nothing of what would run. Signed
 * as in Standard Webhooks, so that common receivers can check it. Pure.
 */
import { createHash, createHmac } from "node:crypto";
import { LIMITS, printable } from "@femtoclaw/protocol";

export type WebhookEvent = "asked" | "answered" | "expired" | "withdrawn";

export interface WebhookMessage {
  readonly version: 1;
  readonly event: WebhookEvent;
  /** Identifier of the approval. */
  readonly id: string;
  readonly tool: string;
  /** The rule that asks, and its reason. */
  readonly rule: string;
  readonly reason: string;
  readonly expires_at: string;
  readonly digest: string;
  /** Name of the log, and number of the record of the event. */
  readonly log: string;
  readonly record: number;
  /** The answer, who gave it, and whether it settles the question; null if nobody has answered. */
  readonly answer: { readonly answer: "granted" | "refused"; readonly by: string; readonly complete: boolean } | null;
}

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Chats and telephones show these texts, so control characters are made visible and long texts are cut. */
export function webhookMessage(told: Omit<WebhookMessage, "version">): WebhookMessage {
  const shown = (text: string): string => printable(text, LIMITS.reasonChars);
  const { tool, rule, reason, answer } = told;
  return {
    version: 1,
    ...told,
    tool: shown(tool),
    rule: shown(rule),
    reason: shown(reason),
    answer: answer === null ? null : { ...answer, by: shown(answer.by) },
  };
}

/**
 * The same for each attempt, so that a receiver can recognize duplicates. Time and signature differ between attempts.
 */
function messageId({ log, record, event }: WebhookMessage): string {
  return `${createHash("sha256").update(log).digest("hex").slice(0, 16)}-${record}-${event}`;
}

export function signedRequest(message: WebhookMessage, key: string, nowUs: number): SignedRequest {
  const id = messageId(message);
  const timestamp = String(Math.floor(nowUs / 1_000_000));
  const body = JSON.stringify(message);
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return {
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
    },
    body,
  };
}
