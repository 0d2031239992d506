/** Serves one MCP client inside the sandbox of a launched agent: every call of it is a proposal of the agent's session. */
import type { Duplex } from "node:stream";
import type { Proposer } from "@femtoclaw/mcp";
import { printable, type Reply } from "@femtoclaw/protocol";
import type { Runtime, Session } from "@femtoclaw/runtime";
import { proposeInSession } from "../propose-in-session.ts";

export interface ProposalsServed {
  readonly runtime: Runtime;
  readonly session: Session;
  readonly connection: Duplex;
  /** Aborts with the agent. */
  readonly signal: AbortSignal;
  onReply(reply: Reply): void;
}

/** Below the minute after which most clients give up on a call. */
const WAIT_MS = 50_000;

/** Resolves when the client has left. The MCP server is loaded with the first one, as no host without agents needs it. */
export async function serveProposals(served: ProposalsServed): Promise<void> {
  const { connection, signal } = served;
  const { serveMcpStdio } = await import("@femtoclaw/mcp");
  const options = {
    connect: async () => proposerOf(served),
    waitMs: WAIT_MS,
    input: connection,
    output: connection,
    // A client that says what is no MCP is answered so; nothing of that is for the operator.
    onError: () => undefined,
  };
  await serveMcpStdio(options, signal);
  connection.destroy();
}

/** INVARIANT: I8: whatever a client calls itself, it proposes in the session of the agent, and has no verb but these. */
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
