/** The webhook of a configuration: its secret, the watch on questions, and the delivery of messages. */
import { type Clock, readPrivate, systemClock } from "@femtoclaw/journal";
import { errorText, FemtoError, type HostEnvironment, printable } from "@femtoclaw/protocol";
import type { LogEntry, Runtime } from "@femtoclaw/runtime";
import type { WebhookSetting } from "@femtoclaw/runtime/configuration";
import { QuestionWatch } from "./question-watch.ts";
import { WebhookDelivery, type WebhookStatus } from "./webhook-delivery.ts";

/** LIMIT: characters of the secret; a shorter one could be guessed. */
const KEY_CHARS_MIN = 24;
const KEY_CHARS_MAX = 1_024;

/**
 * Throws FEMTO_CONFIG_INVALID, FEMTO_STATE_OWNER or FEMTO_STATE_MODE if there is no secret that only this user knows.
 */
export async function webhookKey({ key }: WebhookSetting, environment: HostEnvironment): Promise<string> {
  const isFile = "file" in key;
  const place = isFile ? printable(key.file, 4_096) : `the variable ${key.variable}`;
  const text = isFile ? await readPrivate(key.file, KEY_CHARS_MAX + 2) : (environment[key.variable] ?? null);
  const found = text?.replace(/\r?\n$/, "") ?? "";
  if (found.length >= KEY_CHARS_MIN && found.length <= KEY_CHARS_MAX) return found;
  const fault = text === null ? "is not there" : `holds ${found.length} characters`;
  throw new FemtoError(
    "FEMTO_CONFIG_INVALID",
    `the secret of [approvals.webhook], ${place}, ${fault}; ${KEY_CHARS_MIN} to ${KEY_CHARS_MAX} characters are needed`,
  );
}

export interface WebhookParts {
  readonly setting: WebhookSetting;
  readonly key: string;
  readonly runtime: Pick<Runtime, "projection" | "reader" | "policy" | "status">;
  readonly clock?: Clock;
  log(entry: LogEntry): void;
}

export class Webhook {
  readonly #watch: QuestionWatch;
  readonly #delivery: WebhookDelivery;

  constructor({ setting, key, runtime, clock = systemClock(), log }: WebhookParts) {
    const { url } = setting;
    const { origin } = new URL(url);
    this.#delivery = new WebhookDelivery({
      url,
      key,
      clock,
      isOpen: (id) => this.#watch.isOpen(id),
      onChange: (error) =>
        log({
          level: error === null ? "info" : "warn",
          event: error === null ? "webhook.delivers" : "webhook.fails",
          origin,
          ...(error === null ? {} : { reason: printable(error, 1_000) }),
        }),
    });
    this.#watch = new QuestionWatch({
      runtime,
      clock,
      tell: (message) => this.#delivery.add(message),
      onFault: (error) => log({ level: "warn", event: "webhook.blind", reason: errorText(error) }),
    });
    this.#watch.start();
  }

  get status(): WebhookStatus {
    return this.#delivery.status;
  }

  /** Takes the number of the record that asks a question. */
  asked(seq: number): void {
    this.#watch.asked(seq);
  }

  stop(): void {
    this.#watch.stop();
    this.#delivery.stop();
  }
}
