/** What holds the state of each actor in a snapshot: which machine in which version, and what is kept beside it. */
import { type ActorSnapshot, FemtoError } from "@femtoclaw/protocol";
import type { FoldingMachine } from "./machine-set.ts";

/** What holds the state of an actor, as snapshots name it. */
export type Holder = Omit<ActorSnapshot, "state">;
export const HOST: Holder = { machine: "host", version: "2", definition: null };
export const TERMINALS: Holder = { machine: "terminals", version: "1", definition: null };
export const UPSTREAMS: Holder = { machine: "upstreams", version: "1", definition: null };
export const SESSIONS: Holder = { machine: "sessions", version: "1", definition: null };

/**
 * Versions of what actors keep beside the state of their machine, newest last. Executions keep questions since version
 * 2. A state without questions is still written as version 1, so that old histories are recomputed to the byte. It is a
 * map, because a record may name its actors as it likes.
 */
const KEPT_BESIDE: ReadonlyMap<string, readonly string[]> = new Map([["executions", ["1", "2"]]]);

/** Whether this code knows what an actor of this version keeps beside its machine. */
export function knowsKept(actor: string, version: string): boolean {
  const kept = version.split(".")[1];
  const known = KEPT_BESIDE.get(actor);
  return known === undefined ? kept === undefined : kept !== undefined && known.includes(kept);
}

/** The map of executions: the machine that they follow, and what is kept about them beside it. */
export function executionsHolder(machine: FoldingMachine, hasQuestions: boolean): Holder {
  const holder = holderOf(machine);
  return { ...holder, version: `${holder.version}.${hasQuestions ? 2 : 1}` };
}

export function holderOf({ identity }: FoldingMachine): Holder {
  return { machine: identity.id, version: identity.version, definition: identity.sha256 };
}

export function stateOf(actors: Readonly<Record<string, ActorSnapshot>>, name: string, holder: Holder): unknown {
  const actor = actors[name];
  if (actor?.version !== holder.version || actor.definition !== holder.definition) {
    const found =
      actor === undefined ? "is missing" : `is of version ${actor.version} where ${holder.version} is known`;
    throw new FemtoError("FEMTO_JOURNAL_FORMAT", `the snapshot of \`${name}\` ${found}`);
  }
  return actor.state;
}
