/**
 * What an agent may ask: say what it calls itself, propose, look at what its calls write, hear of changes, wait for what
 * waits for an operator, cancel what it proposed, list tools, hold the log to what was seen. There is no verb of authority
 * here.
 */
import { FemtoError, type Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import type { AnswerTurns } from "./answer-turns.ts";
import { followLogVerb } from "./log-verb.ts";
import { relayVerbs, relayWishes } from "./relay-verbs.ts";
import { invalid, refuseUnknown, watchRequest } from "./request-fields.ts";
import type { ConnectionHandlers } from "./socket-server.ts";

type Fields = Readonly<Record<string, unknown>>;

/** One without an answer yet, with the request that it came in; a client may use an identifier twice. */
interface Proposal {
  readonly id: number;
  readonly abort: AbortController;
  /** Empty before it is known. */
  execution: string;
}

/** Handlers of one connection, which is one session, of the agent whose socket it is. */
export function agentHandlers(runtime: Runtime, principal?: string): ConnectionHandlers {
  let session: Session | null = null;
  let name: { readonly label?: string } = {};
  const proposed = new Set<Proposal>();
  const opened = (): Session => {
    session ??= runtime.openSession({ channel: "agent", ...name, ...(principal === undefined ? {} : { principal }) });
    return session;
  };
  return {
    verbs: {
      introduce: ({ label, ...rest }) => {
        if (typeof label !== "string") throw invalid("`label` must be a string");
        refuseUnknown(rest);
        if (session !== null) throw invalid("the session has begun");
        name = { label };
        return null;
      },
      // Not async: nothing that waits for the answer is to hold the text of the message.
      propose: (fields, id, turns) => {
        const { bytes, ...asked } = proposalIn(fields);
        const proposal: Proposal = { id, abort: new AbortController(), execution: "" };
        const onIdentified = (execution: string): void => {
          proposal.execution = execution;
        };
        const to = opened();
        proposed.add(proposal);
        return to
          .propose(bytes, { ...asked, signal: proposal.abort.signal, onIdentified })
          .finally(() => proposed.delete(proposal))
          .then((reply) => readable(to, reply, turns));
      },
      ...relayVerbs(opened, () => session),
      ...underWayVerbs(proposed, () => session),
      wait: ({ execution, ...rest }, _id, turns) => {
        if (typeof execution !== "string") throw invalid("`execution` must be a string");
        refuseUnknown(rest);
        // Who knows the identifier has been told it as the answer to a proposal, perhaps before a restart.
        return opened().wait(execution, turns);
      },
      tools: async (fields, _id, turns) => {
        refuseUnknown(fields);
        await runtime.upstreams.settled();
        return await turns.next(async () => runtime.tools());
      },
      "log.follow": followLogVerb(runtime),
    },
    onClosed: () => session?.close(),
  };
}

/**
 * What is asked about executions that are under way: by their identifiers or, before these are told, by the requests that
 * proposed them.
 */
function underWayVerbs(proposed: ReadonlySet<Proposal>, begun: () => Session | null): ConnectionHandlers["verbs"] {
  return {
    watch: async ({ execution, request, ...fields }) => {
      // Who waits for the answer to a proposal has not been told its execution yet.
      const meant = [...proposed].findLast(({ id }) => id === request);
      const named = request === undefined ? execution : meant?.execution;
      if ((request === undefined) === (execution === undefined) || (named !== undefined && typeof named !== "string")) {
        throw invalid("one of `execution`, a string, and `request`, a number, must be there");
      }
      const [watch, rest] = watchRequest(named ?? "", fields);
      refuseUnknown(rest);
      const session = begun();
      // Who has proposed nothing has nothing to look at, and leaves no trace in the journal.
      if (session === null) throw notWatched();
      return await session.outputs.watch(watch);
    },
    cancel: ({ execution, request, ...rest }) => {
      refuseUnknown(rest);
      if (typeof request === "number" && execution === undefined) {
        // Who waits for the answer to a proposal has not been told its execution yet.
        const meant = [...proposed].filter(({ id }) => id === request);
        for (const { abort } of meant) abort.abort();
        return meant.length > 0;
      }
      if (typeof execution !== "string" || request !== undefined) {
        throw invalid("one of `execution`, a string, and `request`, a number, must be there");
      }
      // Who has proposed nothing has nothing to cancel, and leaves no trace in the journal.
      return begun()?.cancel(execution) ?? false;
    },
  };
}

/** The message of a proposal, and what is said beside it. */
function proposalIn({ message, label, traceparent, tracestate, log_level, can_answer, ...rest }: Fields) {
  const bytes = typeof message === "string" ? fromBase64(message) : null;
  if (bytes === null) throw invalid("`message` must be base64");
  if (label !== undefined && typeof label !== "string") throw invalid("`label` must be a string");
  const wishes = relayWishes({ log_level, can_answer });
  refuseUnknown(rest);
  return { bytes, trace: { traceparent, tracestate }, wishes, ...(label === undefined ? {} : { label }) };
}

/** INVARIANT: I9: a result that its proposer does not read now is read from the journal once it does. */
function readable(session: Session, reply: Reply, turns: AnswerTurns): Reply | Promise<Reply> {
  if (reply.result === undefined || reply.record === null || turns.hasRoom) return reply;
  return session.wait(reply.execution_id, turns);
}

function notWatched(): FemtoError {
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", "this connection has proposed nothing yet");
}

/** Node decodes base64 leniently; two spellings of one message would be two messages to a reader of the line. */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
