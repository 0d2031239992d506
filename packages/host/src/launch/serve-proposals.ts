/**
 * Serves one MCP client inside the sandbox of a launched agent. Each of its calls is a proposal in the agent's session.
 */
import type { Duplex } from "node:stream";
import type { Proposer } from "@femtoclaw/mcp";
import { printable, type Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { proposeInSession } from "./propose-in-session.ts";

export interface ProposalsServed {
  readonly runtime: Runtime;
  readonly session: Session;
  readonly connection: Duplex;
  /** Aborts when the agent ends. */
  readonly signal: AbortSignal;
  onReply(reply: Reply): void;
}

/** Milliseconds, below the minute after which most clients give up on a call. */
const WAIT_MS = 50_000;

/**
 * Resolves when the client has left. The MCP server is loaded on demand, because a host without agents does not need
 * it.
 */
export async function serveProposals(served: ProposalsServed): Promise<void> {
  const { connection, signal } = served;
  const { serveMcpStdio } = await import("@femtoclaw/mcp");
  const options = {
    connect: async () => proposerOf(served),
    waitMs: WAIT_MS,
    input: connection,
    output: connection,
    // A client that violates the protocol is told so in an answer; the operator need not know.
    onError: () => undefined,
  };
  await serveMcpStdio(options, signal);
  connection.destroy();
}

/**
 * INVARIANT: I8: whatever a client calls itself, it proposes in the agent's session and can do nothing but what is
 * listed here.
 */
function proposerOf({ runtime, session, signal, onReply }: ProposalsServed): Proposer {
  const left = Promise.withResolvers<void>();
  return {
    tools: async () => {
      await runtime.upstreams.settled();
      return runtime.tools();
    },
    propose: async (message, { label, logLevel, canAnswer, signal: cancelled, onOutput } = {}) => {
      const stop = cancelled === undefined ? signal : AbortSignal.any([signal, cancelled]);
      const named = label === undefined ? {} : { label: printable(label, 1_024) };
      const told = onOutput === undefined ? {} : { onOutput };
      const asked = {
        ...(logLevel === undefined ? {} : { logLevel }),
        ...(canAnswer === undefined ? {} : { canAnswer }),
      };
      const wishes = { wishes: asked };
      const reply = await proposeInSession(session, message, { ...named, signal: stop, ...told, ...wishes });
      onReply(reply);
      return reply;
    },
    wait: (execution) => session.wait(execution),
    output: (execution) => session.outputs.follow(execution),
    changes: (from, waitMs) => session.changes({ from, waitMs }),
    answer: (question, answers) => session.answer(question, answers),
    unsubscribe: async (server, uri) => session.unsubscribe(server, uri),
    cancel: async (execution) => session.cancel(execution),
    close: async () => left.resolve(),
    closed: left.promise,
  };
}
