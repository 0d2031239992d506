/** What several clauses claim of the same life. */
import { type Claim, claim } from "../judgement.ts";
import type { Life } from "../observations.ts";

export const verified = ({ audit }: Life): Claim =>
  claim(
    audit.verdict === "verified" && audit.exit === 0,
    "the journal verifies",
    `the journal is ${audit.verdict}, exit ${audit.exit}`,
  );

export const stopped = ({ stop }: Life): Claim =>
  claim(
    stop.exit === 0 && stop.missing.length === 0 && stop.acknowledged > 0,
    `${stop.acknowledged} calls were acknowledged before a stop under load, and all are recorded`,
    `exit ${stop.exit}; acknowledged ${stop.acknowledged}, not recorded: ${stop.missing.join(", ") || "none"}`,
  );
