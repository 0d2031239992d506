/** The folded state of a running runtime, for whoever looks at it: it can be read, and nothing moves or changes it. */
import type { Phase } from "@femtoclaw/machines";
import type { ActorSnapshot, RegisteredCapability } from "@femtoclaw/protocol";
import type { HostState } from "./boots.ts";
import type { OpenExecution } from "./execution-records.ts";
import type { Counters } from "./executions.ts";
import type { OpenQuestion } from "./open-questions.ts";
import type { OpenTerminals } from "./open-terminals.ts";
import type { MachineName } from "./phases.ts";
import type { Projection } from "./projection.ts";
import type { SessionHistories } from "./session-histories.ts";
import type { UnresolvedExecution } from "./unresolved.ts";
import type { UpstreamPins } from "./upstream-pins.ts";

/**
 * The state after the newest record, whenever it is asked. Each answer is a copy. INVARIANT: I6: nothing but a record
 * moves the fold, so its own objects are handed to nobody.
 */
export class ProjectionView {
  readonly #projection: Projection;

  constructor(projection: Projection) {
    this.#projection = projection;
  }

  /** Number of folded records. */
  get size(): number {
    return this.#projection.size;
  }

  /** State of the lifecycle machine. */
  get phase(): Phase {
    return this.#projection.phase;
  }

  /** Boots of the log, and how the last one ended. */
  get host(): HostState {
    return structuredClone(this.#projection.host);
  }

  /** How executions ended, over the whole log. */
  get counters(): Counters {
    return { ...this.#projection.counters };
  }

  /** Executions between intent and outcome, by identifier. */
  get open(): ReadonlyMap<string, OpenExecution> {
    return structuredClone(this.#projection.open);
  }

  /** Interrupted executions for which no operator has said yet what became of them. */
  get unresolved(): ReadonlyMap<string, UnresolvedExecution> {
    return structuredClone(this.#projection.unresolved);
  }

  /** Calls that wait for operators, or whose answer has not led to the next record yet. */
  get questions(): ReadonlyMap<string, OpenQuestion> {
    return structuredClone(this.#projection.questions);
  }

  /** Terminals on which a program runs. */
  get terminals(): Pick<OpenTerminals, "open"> {
    return { open: structuredClone(this.#projection.terminals.open) };
  }

  /** What each session did, and the marks of each principal. */
  get sessions(): Pick<SessionHistories, "of" | "facts" | "marks" | "state"> {
    const { sessions } = this.#projection;
    return {
      of: (session) => structuredClone(sessions.of(session)),
      facts: (session, principal, moment) => sessions.facts(session, principal, moment),
      marks: sessions.marks,
      state: sessions.state,
    };
  }

  /** What was accepted of MCP servers. */
  get pins(): Pick<UpstreamPins, "of"> {
    const { pins } = this.#projection;
    return { of: (server) => structuredClone(pins.of(server)) };
  }

  /** Registered capabilities, whether each is enabled, and who decided that. */
  get capabilities(): readonly RegisteredCapability[] {
    return structuredClone(this.#projection.capabilities);
  }

  /** What operators enabled or disabled by hand, by capability name. */
  get overrides(): Readonly<Record<string, boolean>> {
    return { ...this.#projection.overrides };
  }

  /** Value and context of a subsystem's machine. */
  machine(name: MachineName): { readonly value: unknown; readonly context: unknown } {
    return structuredClone(this.#projection.machine(name));
  }

  /** The state of every actor, as the journal's snapshots hold it. */
  snapshot(): Record<string, ActorSnapshot> {
    return structuredClone(this.#projection.snapshot());
  }
}
