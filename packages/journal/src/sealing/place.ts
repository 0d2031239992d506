/** Places in a value on a walk through it. Their pointers are made for the few that are told of. */
import { jsonPointer } from "@femtoclaw/protocol";

export interface Place {
  /** Null for the whole value. */
  readonly above: Place | null;
  readonly name: string | number;
  /** Kept for all that lies below; null while nobody asked. */
  pointer: string | null;
}

/** LIMIT: characters of a pointer. A record tells of no place that is as long; what lies behind them is left out. */
const POINTER_CHARS = 512;

/** The whole value. */
export function root(): Place {
  return { above: null, name: "", pointer: "" };
}

export function below(above: Place, name: string | number): Place {
  return { above, name, pointer: null };
}

/** INVARIANT: I9: a name may be as long as all the rest, and stand above any number of places. */
export function pointerTo(place: Place): string {
  place.pointer ??= madeFor(place);
  return place.pointer;
}

function madeFor({ above, name }: Place): string {
  const pointer = above === null ? "" : pointerTo(above);
  if (pointer.length > POINTER_CHARS) return pointer;
  return `${pointer}${jsonPointer([typeof name === "string" ? name.slice(0, POINTER_CHARS) : name])}`;
}
