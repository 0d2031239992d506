/** What several clauses claim of the same life. */
import { type Claim, claim } from "../judgement.ts";
import type { Life } from "../observations.ts";

export const verified = ({ audit }: Life): Claim =>
  claim(
    audit.verdict === "verified" && audit.exit === 0,
    "the journal verifies",
    `the journal is ${audit.verdict}, exit ${audit.exit}`,
  );

/** INVARIANT: a namespace that could not be seen is not said to be the child's own. */
export const isolated = ({ isolation: { host, child } }: Life): Claim => {
  const names = Object.keys(host);
  const shared = names.filter((name) => child[name] === host[name] || (child[name] ?? "unknown") === "unknown");
  return claim(
    names.length > 0 && shared.length === 0,
    `a child has namespaces of its own: ${names.join(", ")}`,
    `not seen to be a child's own: ${shared.join(", ") || "any namespace"}`,
  );
};

/** A child sees itself at least, or it could not look. */
export const seesItselfAlone = ({ isolation: { processes } }: Life): Claim =>
  claim(processes >= 1 && processes <= 3, "a child sees its own processes only", `a child sees ${processes} processes`);

/** INVARIANT: a program that did not run proves nothing about what it would have seen. */
export const seesNoDeniedFile = ({ calls: { deniedThroughProgram } }: Life): Claim => {
  const { text, status } = deniedThroughProgram;
  return claim(
    status === "completed" && !text?.includes("secret"),
    "a permitted program does not see a denied file",
    status === "completed" ? "a permitted program read a denied file" : `a permitted program ended as ${status}`,
  );
};

export const stopped = ({ stop }: Life): Claim =>
  claim(
    stop.exit === 0 && stop.missing.length === 0 && stop.acknowledged > 0,
    `${stop.acknowledged} calls were acknowledged before a stop under load, and all are recorded`,
    `exit ${stop.exit}; acknowledged ${stop.acknowledged}, not recorded: ${stop.missing.join(", ") || "none"}`,
  );
