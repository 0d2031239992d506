/**
 * Divides a set of rules into slices, so that a question is asked only the rules around its place and not hundreds of
 * others.
 */
import type { Trail } from "./trail.ts";

/** One set of rules for each place that has rules, and one for questions whose trail passes none of these places. */
export interface Slices<RuleSet> {
  readonly at: ReadonlyMap<string, RuleSet>;
  readonly elsewhere: RuleSet;
}

/**
 * Slices of the rules with these trails, by rule number. INVARIANT: I3: the slice at a place holds all rules without a
 * place and all rules along the trail to that place. These are all that can apply to a question whose trail leads no
 * further.
 *
 * A slice ends as soon as half of it is in no earlier slice, so all slices together hold at most twice as many rules as
 * there are: they cost the engine at most twice the time and memory.
 */
export function slicesOf<RuleSet>(
  trails: ReadonlyMap<number, Trail>,
  setOf: (rules: readonly number[]) => RuleSet,
): Slices<RuleSet> {
  const rulesAt = Map.groupBy(trails.keys(), (rule) => trails.get(rule)?.at(-1));
  const anywhere = rulesAt.get(undefined) ?? [];
  const at = new Map<string, RuleSet>();
  const sliced = new Set(anywhere);
  let places: string[] = [];
  let slice = new Set(anywhere);
  let own = 0;
  const end = (): void => {
    const set = setOf([...slice].sort((a, b) => a - b));
    for (const place of places) at.set(place, set);
    places = [];
    slice = new Set(anywhere);
    own = 0;
  };
  for (const [place, trail] of byNeighbourhood(trails.values())) {
    for (const rule of trail.flatMap((passed) => rulesAt.get(passed) ?? [])) {
      if (!sliced.has(rule)) own += 1;
      sliced.add(rule);
      slice.add(rule);
    }
    places.push(place);
    if (2 * own >= slice.size) end();
  }
  if (places.length > 0) end();
  return { at, elsewhere: setOf(anywhere) };
}

/**
 * Each place with its trail. Places behind another place come directly after it, so that a slice holds few rules of
 * other trails.
 */
function byNeighbourhood(trails: Iterable<Trail>): (readonly [string, Trail])[] {
  const places = new Map<string, Trail>();
  for (const trail of trails) for (const place of trail.slice(-1)) places.set(place, trail);
  return [...places].sort(([_, one], [__, other]) => {
    const fork = one.findIndex((place, index) => place !== other[index]);
    return fork === -1 || (one[fork] ?? "") < (other[fork] ?? "") ? -1 : 1;
  });
}

/** The set at the innermost place of the trail that has rules. It includes the rules of the outer places. */
export function sliceAt<RuleSet>({ at, elsewhere }: Slices<RuleSet>, trail: Trail): RuleSet {
  return trail.reduce((set, place) => at.get(place) ?? set, elsewhere);
}
