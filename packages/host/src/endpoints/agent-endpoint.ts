/** What an agent may ask: propose, wait for what waits for an operator, cancel what it proposed, list tools, hold the log to what was seen. There is no verb of authority here. */
import type { Runtime, Session } from "@femtoclaw/runtime";
import { followLogVerb } from "./log-verb.ts";
import { invalid, refuseUnknown } from "./request-fields.ts";
import type { ConnectionHandlers } from "./socket-server.ts";

/** Handlers of one connection, which is one session, of the agent whose socket it is. */
export function agentHandlers(runtime: Runtime, principal?: string): ConnectionHandlers {
  let session: Session | null = null;
  const opened = (): Session => {
    session ??= runtime.openSession({ channel: "agent", ...(principal === undefined ? {} : { principal }) });
    return session;
  };
  return {
    verbs: {
      propose: ({ message, label, ...rest }) => {
        const bytes = typeof message === "string" ? fromBase64(message) : null;
        if (bytes === null) throw invalid("`message` must be base64");
        if (label !== undefined && typeof label !== "string") throw invalid("`label` must be a string");
        refuseUnknown(rest);
        return opened().propose(bytes, label === undefined ? {} : { label });
      },
      wait: ({ execution, ...rest }) => {
        if (typeof execution !== "string") throw invalid("`execution` must be a string");
        refuseUnknown(rest);
        // Who knows the identifier has been told it as the answer to a proposal, perhaps before a restart.
        return opened().wait(execution);
      },
      cancel: ({ execution, ...rest }) => {
        if (typeof execution !== "string") throw invalid("`execution` must be a string");
        refuseUnknown(rest);
        // Who has proposed nothing has nothing to cancel, and leaves no trace in the journal.
        return session?.cancel(execution) ?? false;
      },
      tools: (fields) => {
        refuseUnknown(fields);
        return runtime.tools();
      },
      "log.follow": followLogVerb(runtime),
    },
    onClosed: () => session?.close(),
  };
}

/** Node decodes base64 leniently; two spellings of one message would be two messages to a reader of the line. */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
