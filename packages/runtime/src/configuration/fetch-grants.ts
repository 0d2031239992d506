/** Entries of `fetch` and of `connect`, each in its canonical form and with its place. */
import { type Authority, type Configuration, type FetchGrant, fetchPattern, jsonPointer } from "@femtoclaw/protocol";
import type { Places } from "./places.ts";
import { findProgram } from "./resolve-programs.ts";

/** Undefined if there is no list: an absent list of an agent narrows nothing. */
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

/** A name means the first program that the search path finds under it, as in a permit to run it. */
export function programConnections(
  { sandbox }: Configuration,
  searchPath: readonly string[],
  places: Places,
): Pick<Authority, "connect"> {
  if (sandbox?.connect === undefined) return {};
  const connect = Object.entries(sandbox.connect).flatMap(([name, written]) => {
    const place = ["sandbox", "connect", name];
    const found = findProgram(name, searchPath);
    if ("problem" in found) return places.fault(place, found.problem);
    const { path: program, realPath } = found;
    return (fetchGrants(place, written, places) ?? []).map((grant) => ({ ...grant, program, realPath }));
  });
  return { connect };
}
