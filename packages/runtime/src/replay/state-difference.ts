/** Where the states of the actors differ, place by place. */
import type { ActorSnapshots } from "@femtoclaw/journal";
import { jsonPointer, parseJson } from "@femtoclaw/protocol";

/** One place at which two states differ. */
export interface StateDifference {
  /** Name of the actor, such as `policy` or `executions`. */
  readonly actor: string;
  /** JSON Pointer into the actor's snapshot; empty for the whole. */
  readonly path: string;
  /** Absent if there was nothing. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A value as the disk gives it back, which is how stored states are compared. */
export function asStored<T>(value: T): T {
  return parseJson(JSON.stringify(value)) as T;
}

/**
 * All places at which the states differ, actor by actor. The order of keys makes no difference. Names that objects
 * inherit are names like any other.
 */
export function stateDifferences(before: ActorSnapshots, after: ActorSnapshots): StateDifference[] {
  const differences: StateDifference[] = [];
  for (const actor of namesOf(before, after)) {
    compare("", member(before, actor), member(after, actor), (difference) =>
      differences.push({ actor, ...difference }),
    );
  }
  return differences;
}

/** The value under a name; undefined if there is none. */
function member(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function compare(
  path: string,
  before: unknown,
  after: unknown,
  report: (difference: Omit<StateDifference, "actor">) => void,
): void {
  if (Object.is(before, after)) return;
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    for (const name of namesOf(before, after)) {
      compare(`${path}${jsonPointer([name])}`, member(before, name), member(after, name), report);
    }
    return;
  }
  report({
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

function namesOf(before: object, after: object): Set<string> {
  return new Set([...Object.keys(before), ...Object.keys(after)]);
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
