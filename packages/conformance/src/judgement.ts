/** The judgement of a clause, and the claims that it is made of. */
import type { Observations, Seen } from "./observations.ts";

export interface Judgement {
  readonly verdict: "holds" | "fails" | "not-checked";
  readonly evidence: string;
}

export interface Clause {
  /** Its number in the deployment specification. */
  readonly id: string;
  /** What it demands, in this project's words. */
  readonly demands: string;
  judge(seen: Observations): Judgement;
}

/** Something that has to be true, with the evidence if it is, and the finding if it is not. */
export interface Claim {
  readonly holds: boolean;
  readonly shown: string;
  readonly otherwise: string;
}

export function claim(holds: boolean, shown: string, otherwise: string): Claim {
  return { holds, shown, otherwise };
}

/** INVARIANT: a clause holds only if all claims about it do. What could not be observed does not hold. */
export function demand(...claims: readonly Claim[]): Judgement {
  const broken = claims.filter(({ holds }) => !holds);
  if (broken.length > 0) return { verdict: "fails", evidence: broken.map(({ otherwise }) => otherwise).join("; ") };
  return { verdict: "holds", evidence: claims.map(({ shown }) => shown).join("; ") };
}

export function notChecked(why: string): Judgement {
  return { verdict: "not-checked", evidence: why };
}

/** Judges one part of what was seen. */
export function on<K extends "life" | "failures" | "twins" | "executable" | "surroundings">(
  part: K,
  judge: (value: Observations[K] extends Seen<infer T> ? T : never) => Judgement,
): (seen: Observations) => Judgement {
  return (seen) => {
    const observed = seen[part] as Seen<Parameters<typeof judge>[0]>;
    return observed.ok ? judge(observed.value) : { verdict: "fails", evidence: `not observed: ${observed.reason}` };
  };
}
