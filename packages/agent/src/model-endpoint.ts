/**
 * A model reached over HTTP: its address and protocol, and the limits on where its key goes and how much it answers.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { FemtoError, printable } from "@femtoclaw/protocol";

/** Protocols by which models are asked. */
export const PROVIDERS = ["openai-compatible", "anthropic"] as const;
/** One of `PROVIDERS`. */
export type ProviderName = (typeof PROVIDERS)[number];

/** Where a model is, and its name there. */
export interface ModelEndpoint {
  readonly provider: ProviderName;
  /** The provider's name for the model. */
  readonly model: string;
  /** The default is Anthropic's; an OpenAI-compatible provider has none. */
  readonly baseUrl?: string;
  /** Sent to this endpoint and nowhere else. */
  readonly key?: string;
}

/** LIMIT: bytes of one answer; the longest answers of models have a few megabytes with all their framing. */
const ANSWER_BYTES_MAX = 33_554_432;

const ANTHROPIC = "https://api.anthropic.com/v1";

/**
 * The model behind an endpoint, which is not contacted yet. Throws FEMTO_USAGE for an endpoint without a URL, or one to
 * which a key would go unencrypted.
 */
export async function modelAt(endpoint: ModelEndpoint): Promise<LanguageModelV4> {
  const { provider, model, key } = endpoint;
  const baseURL = baseUrlOf(endpoint);
  const common = { baseURL, fetch: boundedFetch };
  switch (provider) {
    case "openai-compatible": {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      const settings = { ...common, name: provider, includeUsage: true, ...(key === undefined ? {} : { apiKey: key }) };
      return createOpenAICompatible(settings).chatModel(model);
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      // Always given, so that the SDK takes no key from the environment.
      return createAnthropic({ ...common, apiKey: key ?? "" }).languageModel(model);
    }
  }
}

/** Checks the URL; a key is sent unencrypted only to this machine. */
function baseUrlOf({ provider, baseUrl, key }: ModelEndpoint): string {
  const text = baseUrl ?? (provider === "anthropic" ? ANTHROPIC : undefined);
  if (text === undefined) throw refused("an OpenAI-compatible provider needs a base URL");
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw refused(`${printable(text)} is not an http or https URL`);
  }
  if (url.username !== "" || url.password !== "") throw refused("a base URL must not contain a user or password");
  if (url.protocol === "http:" && key !== undefined && !isLoopback(url.hostname)) {
    throw refused(`a key would be sent to ${printable(url.host)} unencrypted`);
  }
  return text.replace(/\/+$/, "");
}

/** INVARIANT: I9: an endless answer is cut off. A redirect is not followed, and counts as no answer. */
const boundedFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, redirect: "manual" });
  if (response.body === null) return response;
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX) controller.error(new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counted), { status, statusText, headers });
};

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function refused(reason: string): FemtoError {
  return new FemtoError("FEMTO_USAGE", reason, {
    fix: "Use an https URL for the model's endpoint, or an http URL of this machine.",
  });
}
