/** What a call brings besides its tool and arguments: who is told what while it runs, and when it is given up. */
import { ASK_KINDS, type AskKind, isLogLevel } from "@femtoclaw/protocol";
import {
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  SdkError,
  SdkErrorCode,
  type Server,
  type ServerContext,
  TRACEPARENT_META_KEY,
  TRACESTATE_META_KEY,
} from "@modelcontextprotocol/server";
import type { CallContext } from "./calls.ts";
import type { ServerOptions } from "./server.ts";

/** For a call whose client is told nothing and asked nothing. */
export const NOBODY: CallContext = {
  label: undefined,
  trace: {},
  logLevel: null,
  onProgress: null,
  onLog: null,
  canAnswer: [],
  isStateless: false,
  answer: null,
  cancelled: new AbortController().signal,
};

export interface Serving extends Pick<ServerOptions, "host" | "leavingCancels"> {
  readonly server: Server;
}

/** A client of the 2026 era states with each call what other clients state once for all calls. */
export function contextOf({ mcpReq }: ServerContext, { server, host, leavingCancels }: Serving): CallContext {
  const { signal, _meta: meta } = mcpReq;
  const envelope: Readonly<Record<string, unknown>> | undefined = mcpReq.envelope;
  const ofThis = envelope?.[LOG_LEVEL_META_KEY];
  const logLevel = envelope === undefined ? host.logLevel : isLogLevel(ofThis) ? ofThis : null;
  const declared = envelope === undefined ? server.getClientCapabilities() : envelope[CLIENT_CAPABILITIES_META_KEY];
  const state = mcpReq.requestState<unknown>();
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
    logLevel,
    canAnswer: canAnswer(declared as Readonly<Record<string, unknown>> | undefined),
    isStateless: envelope !== undefined,
    answer: typeof state === "string" ? { state, answers: mcpReq.inputResponses ?? {} } : null,
    onLog:
      logLevel === null
        ? null
        : ({ server, level, logger, text }) => {
            if (signal.aborted) return;
            // INVARIANT: I8: the source is named where clients show it, and what is passed on is plain text.
            const named = `MCP server ${server}${logger === null ? "" : `: ${logger}`}`;
            const params = { level, logger: named, data: text };
            mcpReq.notify({ method: "notifications/message", params }).catch(() => undefined);
          },
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

/** What a client can be asked, as it declared. For elicitation a form is meant unless it declares otherwise. */
function canAnswer(capabilities: Readonly<Record<string, unknown>> | undefined): AskKind[] {
  const { form, url } = Object(capabilities?.["elicitation"]) as Readonly<Record<string, unknown>>;
  const isLinkOnly = form === undefined && url !== undefined;
  return ASK_KINDS.filter((kind) => capabilities?.[kind] !== undefined && !(kind === "elicitation" && isLinkOnly));
}

function hasLeft(reason: unknown): boolean {
  return reason instanceof SdkError && reason.code === SdkErrorCode.ConnectionClosed;
}

/** The identifier of the call in the client's own history. */
function labelOf(meta: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const use = meta?.["claudecode/toolUseId"];
  return typeof use === "string" ? `call ${use}` : undefined;
}
