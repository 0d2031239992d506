/** Places in a value, on a walk through it. Pointers are made only for the few places that are reported. */
import { jsonPointer } from "@femtoclaw/protocol";

export interface Place {
  /** The place that contains this one; null for the whole value. */
  readonly above: Place | null;
  readonly name: string | number;
  /** The pointer to this place, kept for all places below; null until it is asked for. */
  pointer: string | null;
}

/** LIMIT: characters of a pointer. No place that a record names has one that long, so anything longer is left out. */
const POINTER_CHARS = 512;

/** The place of the whole value. */
export function root(): Place {
  return { above: null, name: "", pointer: "" };
}

export function below(above: Place, name: string | number): Place {
  return { above, name, pointer: null };
}

/**
 * INVARIANT: I9: pointers are kept and cut off, because a name may be as long as the rest of the value and contain any
 * number of places.
 */
export function pointerTo(place: Place): string {
  place.pointer ??= madeFor(place);
  return place.pointer;
}

function madeFor({ above, name }: Place): string {
  const pointer = above === null ? "" : pointerTo(above);
  if (pointer.length > POINTER_CHARS) return pointer;
  return `${pointer}${jsonPointer([typeof name === "string" ? name.slice(0, POINTER_CHARS) : name])}`;
}
