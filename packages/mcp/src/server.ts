/** The MCP server for one client, with the same handlers for both eras of the protocol. */
import assert from "node:assert/strict";
import {
  LIMITS,
  parseJson,
  printable,
  type Reply,
  splitMcpToolName,
  type ToolDescription,
  VERSION,
} from "@femtoclaw/protocol";
import {
  CLIENT_INFO_META_KEY,
  type Implementation,
  type InputRequiredResult,
  isInputRequiredResult,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { contextOf, NOBODY } from "./call-context.ts";
import { Calls, type ToolCallText } from "./calls.ts";
import {
  completingCall,
  completionOf,
  gettingCall,
  promptOf,
  promptPage,
  readingCall,
  readingOf,
  resourcePage,
  subscribingCall,
  templatePage,
} from "./contents.ts";
import type { HostSession } from "./host-session.ts";
import { argumentsText } from "./incoming.ts";
import { PlainServer } from "./plain-server.ts";
import { faultOf, refusalOf } from "./results.ts";
import { toolPage, WAIT_TOOL } from "./tool-list.ts";

const INSTRUCTIONS = `Each call of these tools is decided by the policy of FemtoClaw, executed under its control and recorded.
A refused call says why, which rule refused it and what to do instead; sending the same call again changes nothing, other uses of the tool may be permitted.
Where the status is "pending", an operator is asked: call ${WAIT_TOOL} with the execution_id to get the outcome, and do not send the call again.`;

const NAME = /^[a-z][A-Za-z0-9_-]*$/;

export interface ServerOptions {
  readonly host: HostSession;
  /** Milliseconds that a call waits for an operator before its client gets a ticket. */
  readonly waitMs: number;
  /** Whether a client that leaves gives up its calls. If false, only an explicit cancellation does that. */
  readonly leavingCancels: boolean;
}

/**
 * INVARIANT: I8: this server asks its client for nothing on its own behalf: nobody behind the client can answer a
 * question to operators or consent to anything. What an MCP server asks, if its operator permits that, is
 * asked in that server's name.
 */
export function makeServer(options: ServerOptions): Server {
  const { host, waitMs, leavingCancels } = options;
  const server = new PlainServer(
    { name: "femtoclaw", version: VERSION },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
      },
      instructions: INSTRUCTIONS,
      requestState: {
        verify: (state) => {
          if (!host.suspended.has(state)) throw new Error("it is no state that was given out");
        },
      },
    },
  );
  const calls = new Calls(host, waitMs);
  server.setRequestHandler("tools/list", async ({ params }, context) => {
    introduce(host, server, context);
    const cursor = params?.cursor;
    if (cursor !== undefined && !NAME.test(cursor)) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, "there is no such cursor");
    }
    const { signal } = context.mcpReq;
    const tools = cursor === undefined ? host.tools(signal) : host.listedTools(signal);
    return { ...toolPage(await known(tools), cursor) };
  });
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    introduce(host, server, context);
    const call = { tool: params.name, args: argumentsText(params.arguments) };
    const callContext = contextOf(context, { server, host, leavingCancels });
    return call.tool === WAIT_TOOL
      ? await calls.wait(executionOf(call.args), callContext)
      : await calls.call(call, callContext);
  });
  serveContents(server, calls, options);
  server.setRequestHandler("logging/setLevel", async ({ params }) => {
    host.logLevel = params.level;
    return {};
  });
  return server;
}

/**
 * Subscribes the client to a resource, which is decided like reading it. Throws the refusal if the call was not
 * completed.
 */
export async function subscribe(
  { host, waitMs }: Pick<ServerOptions, "host" | "waitMs">,
  uri: string,
  cancelled: AbortSignal = NOBODY.cancelled,
): Promise<void> {
  const known =
    subscribingCall(await host.listedTools(cancelled), uri) ?? subscribingCall(await host.currentTools(cancelled), uri);
  const server = splitMcpToolName(known?.tool ?? "")?.server;
  if (known === null || server === undefined) throw new ResourceNotFoundError(uri);
  const reply = plain(await new Calls(host, waitMs).reply(known, { ...NOBODY, cancelled }));
  // A pending call counts too, because an operator may still permit it.
  if (reply.status === "completed" || reply.status === "pending") await host.subscribed(uri, server);
  if (reply.status !== "completed") throw refusalOf(reply);
}

/** Handlers for the resources and prompts of the servers behind the host. */
function serveContents(server: Server, calls: Calls, { host, waitMs, leavingCancels }: ServerOptions): void {
  const listing = async (params: { readonly cursor?: string | undefined } | undefined, context: ServerContext) => {
    introduce(host, server, context);
    const cursor = params?.cursor;
    const { signal } = context.mcpReq;
    return [await known(cursor === undefined ? host.currentTools(signal) : host.listedTools(signal)), cursor] as const;
  };
  server.setRequestHandler("resources/list", async ({ params }, context) => {
    const { items: resources, next } = resourcePage(...(await listing(params, context)));
    return { resources, ...next };
  });
  server.setRequestHandler("resources/templates/list", async ({ params }, context) => {
    const { items: resourceTemplates, next } = templatePage(...(await listing(params, context)));
    return { resourceTemplates, ...next };
  });
  server.setRequestHandler("prompts/list", async ({ params }, context) => {
    const { items: prompts, next } = promptPage(...(await listing(params, context)));
    return { prompts, ...next };
  });
  const replyTo = (call: ToolCallText, context: ServerContext): Promise<Reply | InputRequiredResult> =>
    orProtocolFault(calls.reply(call, contextOf(context, { server, host, leavingCancels })));
  server.setRequestHandler("resources/read", async ({ params }, context) => {
    introduce(host, server, context);
    const { signal } = context.mcpReq;
    const call =
      readingCall(await known(host.listedTools(signal)), params.uri) ??
      readingCall(await known(host.currentTools(signal)), params.uri);
    if (call === null) throw new ResourceNotFoundError(params.uri);
    const reply = await replyTo(call, context);
    return isInputRequiredResult(reply) ? reply : readingOf(reply);
  });
  server.setRequestHandler("resources/subscribe", async ({ params }, context) => {
    introduce(host, server, context);
    await orProtocolFault(subscribe({ host, waitMs }, params.uri, context.mcpReq.signal));
    return {};
  });
  server.setRequestHandler("resources/unsubscribe", async ({ params }) => {
    await host.unsubscribe(params.uri);
    return {};
  });
  server.setRequestHandler("completion/complete", async ({ params }, context) => {
    introduce(host, server, context);
    const call = completingCall(await known(host.listedTools(context.mcpReq.signal)), params);
    const callContext = { ...contextOf(context, { server, host, leavingCancels }), canAnswer: [], answer: null };
    return completionOf(plain(await orProtocolFault(calls.reply(call, callContext))));
  });
  server.setRequestHandler("prompts/get", async ({ params }, context) => {
    introduce(host, server, context);
    const reply = await replyTo(gettingCall(params.name, params.arguments), context);
    return isInputRequiredResult(reply) ? reply : promptOf(reply);
  });
}

async function known(tools: Promise<readonly ToolDescription[]>): Promise<readonly ToolDescription[]> {
  return await orProtocolFault(tools);
}

async function orProtocolFault<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof ProtocolError ? error : protocolFault(error);
  }
}

function protocolFault(error: unknown): ProtocolError {
  const { code, message, fix } = faultOf(error);
  return new ProtocolError(ProtocolErrorCode.InternalError, `${code}: ${message}. ${fix}`, { code, fix });
}

/** Tells a client that the lists it was shown are outdated. */
export async function tellChanged(server: Server): Promise<void> {
  await Promise.all([server.sendToolListChanged(), server.sendResourceListChanged(), server.sendPromptListChanged()]);
}

/** INVARIANT: I8: what a client calls itself is only a label in the records; it neither gives nor takes a right. */
function introduce(host: HostSession, server: Server, { mcpReq }: ServerContext): void {
  const envelope: Readonly<Record<string, unknown>> = mcpReq.envelope ?? {};
  const info = (envelope[CLIENT_INFO_META_KEY] as Implementation | undefined) ?? server.getClientVersion();
  if (info !== undefined) host.introduce(printable(`${info.name} ${info.version}`, LIMITS.labelChars));
}

/** The reply to a call whose client cannot be asked anything. */
function plain(reply: Reply | InputRequiredResult): Reply {
  assert(!isInputRequiredResult(reply), "who can answer nothing is asked nothing");
  return reply;
}

/** The `execution_id` argument of the only tool that is not the host's; other arguments are ignored. */
function executionOf(args: string): unknown {
  try {
    return (parseJson(args) as { readonly execution_id?: unknown } | null)?.execution_id;
  } catch {
    return undefined;
  }
}
