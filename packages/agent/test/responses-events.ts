/** What a provider answers by the Responses protocol, as a stream; `scripted-endpoint.ts` has the others. */
import type { ScriptedStep } from "@femtoclaw/agent";
import type { OfferedTool } from "./offered-tools.ts";

/** `toolOf` says under which name, and in which namespace, a tool was offered. */
export function* responsesEvents(
  { text = "", calls = [] }: ScriptedStep,
  number: number,
  toolOf: (name: string) => OfferedTool,
): Generator<string> {
  const event = (type: string, fields: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
  const response = { id: `resp_${number}`, object: "response", model: "m", output: [] as object[] };
  yield event("response.created", { response: { ...response, status: "in_progress" } });
  const items: object[] = [];
  if (text !== "") {
    const content = [{ type: "output_text", text, annotations: [] }];
    items.push({ type: "message", id: `msg_${number}`, role: "assistant", status: "completed", content });
  }
  for (const [index, { tool, args }] of calls.entries()) {
    const { name, namespace } = toolOf(tool);
    const written = typeof args === "string" ? args : JSON.stringify(args ?? {});
    const about = { id: `fc_${number}_${index}`, call_id: `call_${number}_${index}`, status: "completed" };
    const named = { name, ...(namespace === null ? {} : { namespace }) };
    items.push({ type: "function_call", ...about, ...named, arguments: written });
  }
  for (const [output_index, item] of items.entries()) {
    yield event("response.output_item.added", { output_index, item });
    yield event("response.output_item.done", { output_index, item });
  }
  const usage = { input_tokens: 100, output_tokens: 10, total_tokens: 110 };
  const details = { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } };
  const completed = { ...response, status: "completed", output: items, usage: { ...usage, ...details } };
  yield event("response.completed", { response: completed });
}
