/**
 * A provider on this machine that answers what it is told to: by the protocol of OpenAI-compatible servers, by that of
 * Anthropic, and by Responses, as streams. Which step comes next follows from the conversation, as with the scripted model.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ScriptedStep } from "@femtoclaw/agent";
import { type OfferedTool, offeredAs, offeredTools } from "./offered-tools.ts";
import { responsesEvents } from "./responses-events.ts";

/** What was asked, as far as tests look at it. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: {
    readonly messages: readonly { readonly role: string }[];
    /** In the place of messages, by Responses. */
    readonly input?: readonly { readonly type?: string; readonly role?: string }[];
    readonly tools?: readonly unknown[];
  };
}

/** Answers a request in a way that no script can. */
type Misbehaviour = (response: ServerResponse) => void;

export class ScriptedEndpoint implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Instead of the next answers, while it is set. */
  misbehaviour: Misbehaviour | null = null;
  readonly #server: Server;

  private constructor(steps: readonly ScriptedStep[], aside: ScriptedStep | null) {
    this.#server = createServer((request, response) => void this.#serve(request, response, steps, aside));
  }

  /** `aside` is said to who offers no tools, as agents do who want a title for the conversation. */
  static async start(steps: readonly ScriptedStep[], aside: ScriptedStep | null = null): Promise<ScriptedEndpoint> {
    const endpoint = new ScriptedEndpoint(steps, aside);
    endpoint.#server.listen(0, "127.0.0.1");
    await once(endpoint.#server, "listening");
    return endpoint;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    steps: readonly ScriptedStep[],
    aside: ScriptedStep | null,
  ): Promise<void> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const path = (request.url ?? "").replace(/\?.*$/, "");
    if (request.method !== "POST" || path.endsWith("/count_tokens")) {
      response.writeHead(200, { "Content-Type": "application/json" });
      return void response.end(JSON.stringify({ object: "list", data: [], input_tokens: 100 }));
    }
    const body = JSON.parse(text) as Asked["body"];
    this.asked.push({ path, headers: request.headers, body });
    if (this.misbehaviour !== null) return this.misbehaviour(response);
    const offered = offeredTools(body.tools);
    const number = path.endsWith("/responses")
      ? (body.input ?? []).filter(({ type }) => type === "function_call").length
      : body.messages.filter(({ role }) => role === "assistant").length;
    const isAside = aside !== null && offered.length === 0;
    const step = isAside ? aside : (steps[number] ?? { text: "The script has ended." });
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const event of eventsOf(path, step, number, (tool) => offeredAs(offered, tool))) {
      response.write(event);
      await new Promise((resolve) => setTimeout(resolve, step.after_ms ?? 0));
    }
    response.end();
  }
}

type ToolOf = (name: string) => OfferedTool;

function eventsOf(path: string, step: ScriptedStep, number: number, toolOf: ToolOf): Iterable<string> {
  if (path.endsWith("/responses")) return responsesEvents(step, number, toolOf);
  const { calls, ...rest } = step;
  const named = { ...rest, ...(calls && { calls: calls.map((call) => ({ ...call, tool: toolOf(call.tool).name })) }) };
  return path.endsWith("/messages") ? messagesEvents(named, number) : completionEvents(named, number);
}

/** The arguments as they go over the wire. */
function argumentsOf(args: Readonly<Record<string, unknown>> | string | undefined): string {
  return typeof args === "string" ? args : JSON.stringify(args ?? {});
}

function* pieces(text: string): Generator<string> {
  const chars = Math.max(7, Math.ceil(text.length / 50));
  for (let at = 0; at < text.length; at += chars) yield text.slice(at, at + chars);
}

function* completionEvents({ text = "", calls = [] }: ScriptedStep, number: number): Generator<string> {
  const chunk = (delta: object, finish: string | null = null, more: object = {}): string => {
    const choices = [{ index: 0, delta, finish_reason: finish }];
    return `data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices, ...more })}\n\n`;
  };
  for (const content of pieces(text)) yield chunk({ content });
  for (const [index, { tool, args }] of calls.entries()) {
    const about = { index, id: `call_${number}_${index}`, type: "function" };
    yield chunk({ tool_calls: [{ ...about, function: { name: tool, arguments: "" } }] });
    for (const piece of pieces(argumentsOf(args))) {
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
  yield chunk({}, calls.length > 0 ? "tool_calls" : "stop", { usage });
  yield "data: [DONE]\n\n";
}

function* messagesEvents({ text = "", calls = [] }: ScriptedStep, number: number): Generator<string> {
  const event = (type: string, fields: object = {}): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const usage = { input_tokens: 100, output_tokens: 1 };
  const message = {
    id: `msg_${number}`,
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    usage,
  };
  yield event("message_start", { message: { ...message, stop_sequence: null } });
  let index = 0;
  if (text !== "") {
    yield event("content_block_start", { index, content_block: { type: "text", text: "" } });
    for (const piece of pieces(text)) {
      yield event("content_block_delta", { index, delta: { type: "text_delta", text: piece } });
    }
    yield event("content_block_stop", { index });
    index += 1;
  }
  for (const { tool, args } of calls) {
    const block = { type: "tool_use", id: `toolu_${number}_${index}`, name: tool, input: {} };
    yield event("content_block_start", { index, content_block: block });
    for (const partial_json of pieces(argumentsOf(args))) {
      yield event("content_block_delta", { index, delta: { type: "input_json_delta", partial_json } });
    }
    yield event("content_block_stop", { index });
    index += 1;
  }
  const delta = { stop_reason: calls.length > 0 ? "tool_use" : "end_turn", stop_sequence: null };
  yield event("message_delta", { delta, usage: { output_tokens: 10 } });
  yield event("message_stop");
}
