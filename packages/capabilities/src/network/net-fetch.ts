/** `net_fetch`: one HTTP request. Each redirect is a decision of its own, made by the gate before anything is sent. */
import { type CapabilityManifest, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { Capability, CapabilityCall, CapabilityOutcome, JsonObject } from "../capability.ts";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { contentText } from "../files/content.ts";
import { hostOutcome } from "../outcome.ts";
import { type Answer, exchange, originOf, type Request } from "./exchange.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const BODILESS = ["GET", "HEAD"];
/** LIMIT: bytes of a body; as a text of escapes it still fits a result. */
const BODY_BYTES = 2_621_440;

const manifest: CapabilityManifest = {
  name: "net_fetch",
  version: "1.0.0",
  description:
    "Sends one HTTP request and returns the answer, whatever its status. Redirects are followed only where they are permitted too. The body is not unpacked.",
  input: {
    type: "object",
    additionalProperties: false,
    required: ["url"],
    properties: {
      url: {
        type: "string",
        minLength: 1,
        maxLength: LIMITS.urlChars,
        description: "An http or https URL without user and password.",
      },
      method: { enum: METHODS, description: "Default: GET." },
      headers: {
        type: "object",
        maxProperties: LIMITS.requestHeaders,
        additionalProperties: { type: "string", maxLength: LIMITS.headerChars },
        description: "Headers to send. Those of the connection itself, and cookies, are not for a call to set.",
        "x-secret": "headers",
      },
      body: { type: "string", maxLength: LIMITS.messageBytes, description: "Text to send as the body." },
    },
  },
  output: {
    type: "object",
    additionalProperties: false,
    required: ["status", "headers", "body", "encoding", "bytes", "url"],
    properties: {
      status: { type: "integer", minimum: 100, maximum: 999 },
      headers: { type: "object", additionalProperties: { type: "string" }, "x-secret": "headers" },
      body: { type: "string" },
      encoding: { enum: ["utf8", "base64"], description: "How the body stands for bytes; utf8 where it is text." },
      bytes: { type: "integer", minimum: 0, description: "Bytes of the body." },
      url: { type: "string", description: "Where the answer came from, after redirects." },
    },
  },
  arguments: [
    { pointer: "/url", kind: "host", method: "/method", headers: "/headers" },
    { pointer: "/body", kind: "size" },
  ],
  effect: "network",
  idempotent: false,
  limits: { timeout_ms: LIMITS.timeoutCeilingMs, output_bytes: BODY_BYTES },
};

export const netFetch: Capability = { manifest, isolation: "host", execute };

async function execute(call: CapabilityCall): Promise<CapabilityOutcome> {
  return await hostOutcome(call.signal, () => fetched(call));
}

async function fetched({ args, bound, signal, limits, goOn }: CapabilityCall): Promise<JsonObject> {
  let request = requestOf(args, bound.host("/url"));
  const spent = new Map<string, string>();
  // The gate ends a chain of redirects that is too long.
  for (;;) {
    signal.throwIfAborted();
    for (const [name, value] of request.host.secrets) spent.set(name, value);
    const answer = await exchange(request, signal, Math.min(limits.outputBytes, BODY_BYTES), spent);
    const next = redirected(request, answer);
    if (next === null) return resultOf(request.host, answer);
    const { url, method, headers, body } = next;
    const going = await goOn({ url, method, headers, hasBody: body !== null });
    if (!going.ok) throw new FemtoError("FEMTO_FETCH_REDIRECT", going.reason);
    request = { method, headers, body, host: going.host };
  }
}

function requestOf(args: JsonObject, host: BoundHost): Request {
  const { method = "GET", headers = {}, body } = args;
  if (typeof body === "string" && BODILESS.includes(String(method))) {
    throw new FemtoError("FEMTO_FETCH_FAILED", `a ${String(method)} request has no body`, {
      fix: "Leave the body out, or use a method that has a body.",
    });
  }
  return {
    host,
    method: String(method),
    headers: headers as Record<string, string>,
    body: typeof body === "string" ? Buffer.from(body, "utf8") : null,
  };
}

const REDIRECTS = [301, 302, 303, 307, 308];

/** The next request of a redirect, as browsers have it; null for an answer that is the last. */
function redirected(request: Request, { status, headers }: Answer): (Omit<Request, "host"> & { url: string }) | null {
  const { location } = headers;
  if (!REDIRECTS.includes(status) || location === undefined) return null;
  const { host, method, body } = request;
  const url = URL.parse(location, `${originOf(host)}${host.target}`);
  if (url === null) {
    throw new FemtoError("FEMTO_FETCH_REDIRECT", `the answer leads to ${printable(location, 200)}, which is no URL`);
  }
  url.hash = "";
  const becomesGet = (status === 303 && method !== "HEAD") || (status < 303 && method === "POST");
  const kept = becomesGet ? { method: "GET", body: null } : { method, body };
  if (url.origin === originOf(host)) return { ...kept, url: url.href, headers: request.headers };
  // INVARIANT: I10: what was meant for one origin is never sent to another.
  if (kept.body !== null) {
    throw new FemtoError("FEMTO_FETCH_REDIRECT", "the answer would have the body sent to another host");
  }
  return { ...kept, url: url.href, headers: carried(request.headers) };
}

/** What says nothing of who asks; every other header may be a credential under some name. */
const CARRIED = /^(?:accept|accept-language|content-language|content-type|user-agent)$/i;

function carried(headers: Request["headers"]): Request["headers"] {
  const entries = Object.entries(headers).filter(([name, value]) => CARRIED.test(name) && !value.includes("secret://"));
  return Object.fromEntries(entries);
}

function resultOf(host: BoundHost, { status, headers, body }: Answer): JsonObject {
  const text = contentText(body, "utf8");
  return {
    status,
    headers,
    body: text ?? body.toString("base64"),
    encoding: text === null ? "base64" : "utf8",
    bytes: body.length,
    url: `${originOf(host)}${host.target}`,
  };
}
