/** How client and server agree on a revision of the protocol, by a handshake or without one. */
import { type AskKind, FemtoError, VERSION } from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { UpstreamRefusal, type UpstreamTransport, valueText } from "./upstream-transport.ts";

/** Supported revisions with a handshake, the newest first, and the one without. */
const HANDSHAKE = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
const STATELESS = "2026-07-28";
const CLIENT = { name: "femtoclaw", version: VERSION };

/** LIMIT: bytes of one page of a list, and of all its pages together. */
export const PAGE_BYTES = 4_194_304;

export interface Agreement {
  /** The capabilities that the server has declared. */
  readonly has: Readonly<Record<string, unknown>>;
  /** Sent with each request if there was no handshake; null if there was one. */
  readonly meta: JsonObject | null;
}

/** Throws if the two cannot agree. */
export async function agree(
  transport: UpstreamTransport,
  mayAsk: readonly AskKind[],
  signal: AbortSignal,
): Promise<Agreement> {
  const [protocolVersion = ""] = HANDSHAKE;
  const params = { protocolVersion, capabilities: capabilitiesOf(mayAsk), clientInfo: CLIENT };
  let answer: JsonObject;
  try {
    answer = await transport.request({ method: "initialize", params, signal, bytesMax: PAGE_BYTES });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return await agreeStateless(transport, signal);
  }
  const { protocolVersion: version, capabilities } = answer;
  if (typeof version !== "string" || !HANDSHAKE.includes(version)) {
    throw new FemtoError("FEMTO_UPSTREAM_FAILED", `it speaks ${valueText(version, 64)}, which is not spoken here`);
  }
  transport.agree(version);
  await transport.notify("notifications/initialized", {});
  return { has: declared(capabilities), meta: null };
}

/** Servers of later revisions have no handshake: each request says everything that the answer depends on. */
async function agreeStateless(transport: UpstreamTransport, signal: AbortSignal): Promise<Agreement> {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
  };
  transport.agree(STATELESS);
  const params = { _meta: meta };
  const { capabilities } = await transport.request({
    method: "server/discover",
    params,
    signal,
    bytesMax: PAGE_BYTES,
  });
  return { has: declared(capabilities), meta };
}

const declared = (capabilities: unknown): Agreement["has"] => Object(capabilities) as Agreement["has"];

/** The capabilities in the form in which clients declare them. */
export function capabilitiesOf(may: readonly AskKind[]): JsonObject {
  return Object.fromEntries(may.map((kind) => [kind, {}]));
}

/** Over HTTP, a server without a handshake may say so by a status alone. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof UpstreamRefusal) return true;
  return error instanceof FemtoError && /answered with status 4\d\d$/.test(error.message);
}
