/** Entries of `fetch`, each in its canonical form and with its place. */
import { type FetchGrant, fetchPattern, jsonPointer } from "@femtoclaw/protocol";
import type { Places } from "./places.ts";

/** Undefined where there is no list: an agent's list that is not there narrows nothing. */
export function fetchGrants(
  place: readonly string[],
  written: readonly string[] | undefined,
  places: Places,
): readonly FetchGrant[] | undefined {
  return written?.flatMap((text, index) => {
    const pattern = fetchPattern(text);
    if ("problem" in pattern) return places.fault([...place, index], pattern.problem);
    return [{ ...pattern, source: places.sourceOf(jsonPointer([...place, index])) }];
  });
}
