/** What keeps a rule in every slice of a policy to whose questions it can apply, each with the change that takes it away. */
import type { Row } from "./defences.ts";

const TRAIL = "packages/policy/src/projection/trail.ts";
const SLICES = "packages/policy/src/projection/slices.ts";
const TITLE = "decides, to the last rule and the last error";

export const SLICED: readonly Row[] = [
  [
    "rules of outer places are asked at inner ones",
    SLICES,
    "trail.flatMap((passed) => rulesAt.get(passed) ?? [])",
    "rulesAt.get(place) ?? []",
    TITLE,
  ],
  [
    "rules without a place are in every slice",
    SLICES,
    "    slice = new Set(anywhere);",
    "    slice = new Set<number>();",
    TITLE,
  ],
  [
    "the innermost place of a question decides what is asked",
    SLICES,
    "at.get(place) ?? set",
    "(set === elsewhere ? at.get(place) : undefined) ?? set",
    TITLE,
  ],
  ["an exception gives no place", TRAIL, 'clause?.kind === "when"', "clause !== undefined", TITLE],
  ["a clause behind another gives no place", TRAIL, "conditions[0]", "conditions.at(-1)", TITLE],
  [
    "a remembered reason names what was asked for",
    "packages/policy/src/projection/projected-call.ts",
    "encodedText(capability) + ",
    "",
    TITLE,
  ],
];

/** What makes a rule have no place. A policy at random seldom has such a rule, so cases made for them have to notice. */
export const UNPLACED: readonly Row[] = [
  ["a fact that may be absent gives no place", TRAIL, " || !present.has(name)", "", "does not follow from"],
  [
    "what comes after a term that may err gives no place",
    TRAIL,
    `!== "string") break;\n    else`,
    `!== "string") continue;\n    else`,
    "does not follow from",
  ],
];
