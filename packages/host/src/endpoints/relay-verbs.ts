/** What an agent hears from MCP servers apart from the answers to its calls, and how it answers their questions. */
import { isAskKind, isLogLevel, LIMITS, parseStrictJson } from "@femtoclaw/protocol";
import type { RelayWishes, Session } from "@femtoclaw/runtime";
import { invalid, refuseUnknown, watchRequest } from "./request-fields.ts";
import type { Handler } from "./verb-handlers.ts";

/** Reads the fields of a proposal that say what the agent wants to hear and can answer, and ignores the others. */
export function relayWishes({ log_level, can_answer }: Readonly<Record<string, unknown>>): RelayWishes {
  if (log_level !== undefined && !isLogLevel(log_level)) throw invalid("`log_level` must be a level of MCP");
  if (can_answer !== undefined && !(Array.isArray(can_answer) && can_answer.every(isAskKind))) {
    throw invalid("`can_answer` must list `elicitation`, `sampling` or `roots`");
  }
  return {
    ...(log_level === undefined ? {} : { logLevel: log_level }),
    ...(can_answer === undefined ? {} : { canAnswer: can_answer }),
  };
}

/** `opened` begins a session if none has begun. `begun` returns the session that has begun, or null. */
export function relayVerbs(opened: () => Session, begun: () => Session | null): Readonly<Record<string, Handler>> {
  return {
    changes: async ({ from = null, wait_ms, ...rest }) => {
      const [{ waitMs }, more] = watchRequest("", { from: from ?? 0, wait_ms, ...rest });
      refuseUnknown(more);
      // A client that has proposed nothing yet is told as well when other tools are offered.
      return await opened().changes({ from: from as number | null, waitMs });
    },
    unsubscribe: ({ server, uri, ...rest }) => {
      if (typeof server !== "string" || typeof uri !== "string") throw invalid("`server` and `uri` must be strings");
      refuseUnknown(rest);
      return begun()?.unsubscribe(server, uri) ?? false;
    },
    answer: async ({ question, answers, ...rest }) => {
      if (typeof question !== "string" || typeof answers !== "string") {
        throw invalid("`question` must be a string, and `answers` the text of a JSON object");
      }
      refuseUnknown(rest);
      const limits = { bytes: LIMITS.answerBytes, depth: LIMITS.jsonDepth, nodes: LIMITS.jsonNodes };
      const parsed = parseStrictJson(Buffer.from(answers), limits);
      if (!parsed.ok) throw invalid(`\`answers\`: ${parsed.fault.reason}`);
      await opened().answer(question, parsed.value);
      return null;
    },
  };
}
