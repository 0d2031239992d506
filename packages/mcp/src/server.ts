/** The MCP server of one client: the same handlers for both eras of the protocol. */
import { LIMITS, printable, VERSION } from "@femtoclaw/protocol";
import {
  CLIENT_INFO_META_KEY,
  type Implementation,
  ProtocolError,
  ProtocolErrorCode,
  SdkError,
  SdkErrorCode,
  Server,
  type ServerContext,
  TRACEPARENT_META_KEY,
  TRACESTATE_META_KEY,
} from "@modelcontextprotocol/server";
import { type CallContext, Calls } from "./calls.ts";
import type { HostSession } from "./host-session.ts";
import { argumentsText } from "./incoming.ts";
import { faultOf } from "./results.ts";
import { toolPage, WAIT_TOOL } from "./tool-list.ts";

const INSTRUCTIONS = `Each call of these tools is decided by the policy of FemtoClaw, executed under its control and recorded.
A refused call says why, which rule refused it and what to do instead; sending the same call again changes nothing, other uses of the tool may be permitted.
Where the status is "pending", an operator is asked: call ${WAIT_TOOL} with the execution_id to get the outcome, and do not send the call again.`;

const NAME = /^[a-z][A-Za-z0-9_-]*$/;

export interface ServerOptions {
  readonly host: HostSession;
  /** How long a call waits for an operator before its client gets a ticket. */
  readonly waitMs: number;
  /** Whether a client that leaves does not want its calls any more; else only what it says counts. */
  readonly leavingCancels: boolean;
}

/**
 * INVARIANT: I8: it asks its client for nothing: whoever sits behind the client can neither answer a question to
 * operators nor agree to anything.
 */
export function makeServer({ host, waitMs, leavingCancels }: ServerOptions): Server {
  const server = new Server(
    { name: "femtoclaw", version: VERSION },
    { capabilities: { tools: { listChanged: true } }, instructions: INSTRUCTIONS },
  );
  const calls = new Calls(host, waitMs);
  server.setRequestHandler("tools/list", async ({ params }, context) => {
    introduce(host, server, context);
    const cursor = params?.cursor;
    if (cursor !== undefined && !NAME.test(cursor)) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, "there is no such cursor");
    }
    try {
      return { ...toolPage(await host.tools(cursor !== undefined), cursor) };
    } catch (error) {
      const { code, message, fix } = faultOf(error);
      throw new ProtocolError(ProtocolErrorCode.InternalError, `${code}: ${message}. ${fix}`, { code, fix });
    }
  });
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    introduce(host, server, context);
    const call = { tool: params.name, args: argumentsText(params.arguments) };
    const callContext = contextOf(context, leavingCancels);
    return call.tool === WAIT_TOOL
      ? await calls.wait(executionOf(call.args), callContext)
      : await calls.call(call, callContext);
  });
  return server;
}

/** INVARIANT: I8: what a client calls itself is a label in the records; it gives no right, and takes none. */
function introduce(host: HostSession, server: Server, { mcpReq }: ServerContext): void {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const info = (envelope[CLIENT_INFO_META_KEY] as Implementation | undefined) ?? server.getClientVersion();
  if (info !== undefined) host.introduce(printable(`${info.name} ${info.version}`, LIMITS.labelChars));
}

function contextOf({ mcpReq }: ServerContext, leavingCancels: boolean): CallContext {
  const { signal, _meta: meta } = mcpReq;
  const progressToken = meta?.progressToken;
  const cancelled = new AbortController();
  const onAbort = (): void => {
    if (leavingCancels || !hasLeft(signal.reason)) cancelled.abort();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return {
    label: labelOf(meta),
    trace: { traceparent: meta?.[TRACEPARENT_META_KEY], tracestate: meta?.[TRACESTATE_META_KEY] },
    cancelled: cancelled.signal,
    onProgress:
      progressToken === undefined
        ? null
        : (progress) => {
            if (signal.aborted) return;
            const params = { progressToken, ...progress };
            mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
          },
  };
}

function hasLeft(reason: unknown): boolean {
  return reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed;
}

/** The name that the client's own history has for the call. */
function labelOf(meta: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const use = meta?.["claudecode/toolUseId"];
  return typeof use === "string" ? `call ${use}` : undefined;
}

/** The arguments of the one tool that is not the host's; what they hold else does not matter. */
function executionOf(args: string): unknown {
  try {
    return (JSON.parse(args) as { readonly execution_id?: unknown } | null)?.execution_id;
  } catch {
    return undefined;
  }
}
