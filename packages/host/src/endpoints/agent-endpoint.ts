/**
 * What an agent may ask: it can introduce itself, propose calls, watch what its calls write, hear of changes, wait for
 * calls that an operator has to answer, cancel its own calls, list tools, and compare the log with what it has seen of
 * it. No verb here carries any authority.
 */
import { FemtoError, type Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { recordedLabel } from "@femtoclaw/runtime/live";
import type { AnswerTurns } from "./answer-turns.ts";
import { followLogVerb } from "./log-verb.ts";
import { relayVerbs, relayWishes } from "./relay-verbs.ts";
import { invalid, refuseUnknown, watchRequest } from "./request-fields.ts";
import type { ConnectionHandlers } from "./verb-handlers.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A proposal without an answer yet. `id` is that of the request that proposed it; a client may use the same one twice.
 */
interface Proposal {
  readonly id: number;
  readonly abort: AbortController;
  /** Identifier of the execution; empty before it is known. */
  execution: string;
}

/**
 * Handlers of one connection, which is one session. `principal` is the agent that the socket belongs to, if it has one.
 */
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
        // INVARIANT: I9: a client that only names itself makes the host hold no more than what a record would.
        name = { label: recordedLabel(label) };
        return null;
      },
      // Not async, so that nothing that waits for the answer keeps the text of the message in memory.
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
        // A client that knows the identifier was told it in the answer to a proposal, perhaps before a restart.
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
 * Verbs about executions that are under way. These are named by their identifiers or, before the client is told those,
 * by the requests that proposed them.
 */
function underWayVerbs(proposed: ReadonlySet<Proposal>, begun: () => Session | null): ConnectionHandlers["verbs"] {
  return {
    watch: async ({ execution, request, ...fields }) => {
      // A client that still waits for the answer to its proposal has not been told the execution yet.
      const meant = [...proposed].findLast(({ id }) => id === request);
      const named = request === undefined ? execution : meant?.execution;
      if ((request === undefined) === (execution === undefined) || (named !== undefined && typeof named !== "string")) {
        throw invalid("one of `execution`, a string, and `request`, a number, must be there");
      }
      const [watch, rest] = watchRequest(named ?? "", fields);
      refuseUnknown(rest);
      const session = begun();
      // A client that has proposed nothing has nothing to watch, and no session of it is recorded.
      if (session === null) throw notWatched();
      return await session.outputs.watch(watch);
    },
    cancel: ({ execution, request, ...rest }) => {
      refuseUnknown(rest);
      if (typeof request === "number" && execution === undefined) {
        // A client that still waits for the answer to its proposal has not been told the execution yet.
        const meant = [...proposed].filter(({ id }) => id === request);
        for (const { abort } of meant) abort.abort();
        return meant.length > 0;
      }
      if (typeof execution !== "string" || request !== undefined) {
        throw invalid("one of `execution`, a string, and `request`, a number, must be there");
      }
      // A client that has proposed nothing has nothing to cancel, and no session of it is recorded.
      return begun()?.cancel(execution) ?? false;
    },
  };
}

/** The message of a proposal, and the fields beside it. */
function proposalIn({ message, label, traceparent, tracestate, log_level, can_answer, ...rest }: Fields) {
  const bytes = typeof message === "string" ? fromBase64(message) : null;
  if (bytes === null) throw invalid("`message` must be base64");
  if (label !== undefined && typeof label !== "string") throw invalid("`label` must be a string");
  const wishes = relayWishes({ log_level, can_answer });
  refuseUnknown(rest);
  return { bytes, trace: { traceparent, tracestate }, wishes, ...(label === undefined ? {} : { label }) };
}

/**
 * INVARIANT: I9: if the proposer does not read its answers now, the result is read from the journal once it does,
 * instead of being held in memory.
 */
function readable(session: Session, reply: Reply, turns: AnswerTurns): Reply | Promise<Reply> {
  if (reply.result === undefined || reply.record === null || turns.hasRoom) return reply;
  return session.wait(reply.execution_id, turns);
}

function notWatched(): FemtoError {
  return new FemtoError("FEMTO_EXECUTION_NOT_FOUND", "this connection has proposed nothing yet");
}

/**
 * Null for anything but the canonical spelling. Node.js decodes base64 leniently, but two spellings of one message
 * would be two messages to somebody who reads the line.
 */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
