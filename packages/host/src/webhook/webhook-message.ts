/**
 * What a webhook is told of one question to operators: enough to fetch a person, and nothing of what would run.
 * Signed as by Standard Webhooks, so that common receivers can check it. Pure.
 */
import { createHash, createHmac } from "node:crypto";
import { LIMITS, printable } from "@femtoclaw/protocol";

export type WebhookEvent = "asked" | "answered" | "expired" | "withdrawn";

export interface WebhookMessage {
  readonly version: 1;
  readonly event: WebhookEvent;
  /** Of the approval. */
  readonly id: string;
  readonly tool: string;
  /** The rule that asks, and what it says. */
  readonly rule: string;
  readonly reason: string;
  readonly expires_at: string;
  readonly digest: string;
  /** Name of the log, and the record that tells of the event. */
  readonly log: string;
  readonly record: number;
  /** What was answered, by whom, and whether that settles it; null where nobody has answered. */
  readonly answer: { readonly answer: "granted" | "refused"; readonly by: string; readonly complete: boolean } | null;
}

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The texts are shown by chats and telephones: what would act there is made visible, and no text is long. */
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

/** The same for each attempt, so that a receiver knows what it has seen; the time and the signature are not. */
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
