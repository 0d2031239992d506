/** Proposes in a session of this process, and passes on output as a client of the socket would get it. */
import type { ProposeOptions as ClientOptions } from "@femtoclaw/client";
import { type ExecutionId, FemtoError, type Reply } from "@femtoclaw/protocol";
import type { ProposeOptions, Session } from "@femtoclaw/runtime";

export type SessionProposal = Omit<ProposeOptions, "onIdentified"> & Pick<ClientOptions, "onOutput">;

export async function proposeInSession(
  session: Session,
  message: Uint8Array,
  { onOutput, ...options }: SessionProposal,
): Promise<Reply> {
  if (onOutput === undefined) return await session.propose(message, options);
  let told: Promise<void> | null = null;
  const onIdentified = (execution: ExecutionId): void => {
    told = tell(session, execution, onOutput);
  };
  const reply = await session.propose(message, { ...options, onIdentified });
  // A call that waits for an operator may wait for long, so its output is not awaited.
  if (reply.status !== "pending") await told;
  return reply;
}

async function tell(
  session: Session,
  execution: string,
  onOutput: NonNullable<SessionProposal["onOutput"]>,
): Promise<void> {
  try {
    for await (const part of session.outputs.follow(execution)) await onOutput(part);
  } catch (error) {
    // The output only accompanies the reply, which contains all of it.
    if (!(error instanceof FemtoError)) throw error;
  }
}
