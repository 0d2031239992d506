/** Turns a stored snapshot of the runtime's actors into a summary for the inspector. */
import type { ErrorType, Snapshot } from "@femtoclaw/protocol/types";
import { MACHINE_NAMES, type MachineName, type OpenActor, type Region, SUBSYSTEMS, type Summary } from "./frames.ts";

interface HeldPoint {
  readonly state: string;
  readonly category: ErrorType | null;
}

interface HeldExecution {
  readonly tool: string;
  readonly session: string | null;
  readonly at: HeldPoint;
}

interface HeldExecutions {
  readonly open?: Readonly<Record<string, HeldExecution & { readonly intent: number }>>;
  readonly questions?: Readonly<Record<string, HeldExecution & { readonly seq: number }>>;
  readonly unresolved?: Readonly<Record<string, Omit<HeldExecution, "at"> & { readonly seq: number }>>;
  readonly counters?: Readonly<Record<string, number>>;
}

export function summaryOf({ seq, actors }: Snapshot): Summary {
  const stateOf = (name: string): Readonly<Record<string, unknown>> => actors[name]?.state ?? {};
  const { open = {}, questions = {}, unresolved = {}, counters = {} } = stateOf("executions") as HeldExecutions;
  const host = stateOf("host") as { boot?: string | null; boots?: number; running?: number };
  const phases = stateOf("lifecycle")["value"] as Readonly<Record<string, unknown>>;
  const machines = MACHINE_NAMES.map((name) => {
    const value = name === "lifecycle" ? leafOf(phases["phase"]) : leafOf(stateOf(name)["value"]);
    return [name, { value, sha256: actors[name]?.definition ?? "" }] as const;
  });
  return {
    size: seq + 1,
    boot: host.boot ?? null,
    boots: host.boots ?? 0,
    running: host.running ?? 0,
    machines: Object.fromEntries(machines) as Record<MachineName, { value: string; sha256: string }>,
    regions: Object.fromEntries(SUBSYSTEMS.map((name) => [name, phases[name]])) as Record<
      (typeof SUBSYSTEMS)[number],
      Region
    >,
    actors: [
      ...Object.entries(unresolved).map(([execution, held]): OpenActor => {
        const { tool, session, seq: at } = held;
        return { execution, tool, session, seq: at, state: "error", category: "RuntimeError", interrupted: true };
      }),
      ...Object.entries(questions).map(([execution, held]) => opened(execution, held, held.seq)),
      ...Object.entries(open).map(([execution, held]) => opened(execution, held, held.intent)),
    ],
    counters,
  };
}

function opened(execution: string, { tool, session, at }: HeldExecution, seq: number): OpenActor {
  return { execution, tool, session, seq, state: at.state, category: at.category, interrupted: false };
}

/** The innermost state of a nested state value without parallel states. */
function leafOf(value: unknown): string {
  if (typeof value === "string") return value;
  const [inner] = Object.values((value ?? {}) as Record<string, unknown>);
  return inner === undefined ? "" : leafOf(inner);
}
