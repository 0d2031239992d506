/** Ends what runs behind an open gate: in its own time as long as there is some, then at once. */
import type { Clock } from "@femtoclaw/journal";
import { LIMITS } from "@femtoclaw/protocol";
import { settled } from "../settled.ts";
import type { OpenGate } from "./open-gate.ts";

export async function drain({ gate, stopPrograms }: OpenGate, clock: Clock, drainMs: number): Promise<void> {
  await settled(clock, gate.idle(), drainMs);
  gate.stopAll("the runtime is shutting down");
  await settled(clock, gate.idle(), 4 * LIMITS.graceMs);
  await stopPrograms("the host stopped");
  gate.close();
}
