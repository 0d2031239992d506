/** A model behind HTTP: where it is, by which protocol it is asked, and what keeps its key and its answers in bounds. */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { FemtoError, printable } from "@femtoclaw/protocol";

/** Protocols by which models are asked. */
export const PROVIDERS = ["openai-compatible", "anthropic"] as const;
/** One of `PROVIDERS`. */
export type ProviderName = (typeof PROVIDERS)[number];

/** Where a model is, and what it is called there. */
export interface ModelEndpoint {
  readonly provider: ProviderName;
  /** As its provider knows it. */
  readonly model: string;
  /** Without it that of Anthropic; an OpenAI-compatible one has none of its own. */
  readonly baseUrl?: string;
  /** Goes to that endpoint and nowhere else. */
  readonly key?: string;
}

/** LIMIT: bytes of one answer of a provider; the longest answers of models are a few megabytes with all their framing. */
const ANSWER_BYTES_MAX = 33_554_432;

const ANTHROPIC = "https://api.anthropic.com/v1";

/**
 * The model behind an endpoint. Nothing is asked yet. Throws FEMTO_USAGE for an endpoint that nothing is said to: one
 * without a URL, or one to which a key would go unencrypted.
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
      // Given in any case, so that no variable of the environment is taken instead.
      return createAnthropic({ ...common, apiKey: key ?? "" }).languageModel(model);
    }
  }
}

/** Checked where it is used; a key goes over the wire in the clear to this machine alone. */
function baseUrlOf({ provider, baseUrl, key }: ModelEndpoint): string {
  const text = baseUrl ?? (provider === "anthropic" ? ANTHROPIC : undefined);
  if (text === undefined) throw refused("an OpenAI-compatible provider needs a base URL");
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw refused(`${printable(text)} is no http or https URL`);
  }
  if (url.username !== "" || url.password !== "") throw refused("a base URL holds no user and no password");
  if (url.protocol === "http:" && key !== undefined && !isLoopback(url.hostname)) {
    throw refused(`a key would go to ${printable(url.host)} unencrypted`);
  }
  return text.replace(/\/+$/, "");
}

/** INVARIANT: I9: an endpoint that answers without end ends its own answer; one that sends elsewhere has said nothing. */
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
    fix: "Name the endpoint of the model as https URL, or as http URL of this machine.",
  });
}
