/** Clauses 19 to 22: repeatability, a conforming deployment, and guarantees that sum up other clauses. */
import { type Clause, claim, demand, type Judgement, notChecked, on } from "../judgement.ts";
import type { Observations } from "../observations.ts";
import { deployedClauses } from "./installation.ts";

/** A guarantee is the sum of other clauses: it fails with any of them. */
function sumOf(clauses: readonly Clause[], ...ids: readonly string[]): (seen: Observations) => Judgement {
  return (seen) => {
    const judged = clauses.filter(({ id }) => ids.includes(id)).map(({ id, judge }) => ({ id, ...judge(seen) }));
    const failing = judged.filter(({ verdict }) => verdict === "fails").map(({ id }) => id);
    if (failing.length > 0) return demand(claim(false, "", `fails with ${failing.join(", ")}`));
    const open = judged.filter(({ verdict }) => verdict === "not-checked").map(({ id }) => id);
    if (open.length > 0) return notChecked(`the others hold; not checked: ${open.join(", ")}`);
    return demand(claim(judged.length === ids.length, `the sum of ${ids.join(", ")}`, "a clause is missing"));
  };
}

export function determinismClauses(others: readonly Clause[]): readonly Clause[] {
  const own: readonly Clause[] = [
    {
      id: "19.1",
      demands: "the same deployment behaves the same",
      judge: on("twins", ({ messages, otherUserAndHost, firstDifference }) => {
        const where = `in another folder, language and time zone${otherUserAndHost ? ", as another user under another host name" : ""}`;
        return demand(
          claim(
            firstDifference === null,
            `two fresh ones answer and record ${messages} messages alike, ${where}`,
            `they differ at ${firstDifference}`,
          ),
        );
      }),
    },
    {
      id: "19.2",
      demands: "it can be built again",
      judge: on("executable", ({ builds }) => {
        if (builds === null)
          return notChecked("what is run is not built here; name another build of it with --rebuilt");
        return demand(
          claim(
            builds.this === builds.other,
            `another build has the same SHA-256, ${builds.this}`,
            `another build has the SHA-256 ${builds.other}, not ${builds.this}`,
          ),
        );
      }),
    },
    ...deployedClauses,
  ];
  const all = [...others, ...own];
  return [
    ...own,
    { id: "21.1", demands: "executes deterministically", judge: sumOf(all, "5.1", "13.3", "19.1") },
    { id: "21.2", demands: "keeps authority safe", judge: sumOf(all, "5.5", "5.6", "6.1", "6.3", "6.4", "6.5") },
    { id: "21.3", demands: "keeps its memory whole", judge: sumOf(all, "5.3", "12.1", "12.4", "13.1", "16.3") },
    {
      id: "21.4",
      demands: "can be audited through its whole life",
      judge: sumOf(all, "9.2", "11.6", "13.5", "17.1", "17.2", "17.3"),
    },
    { id: "21.5", demands: "is safe for its system", judge: sumOf(all, "6.2", "8.3", "8.4", "15.1", "15.2", "16.4") },
    {
      id: "22.1",
      demands: "a newcomer gets a host with capabilities, memory and telemetry",
      judge: on("life", ({ status, records }) => {
        const types = new Set(records.map(({ type }) => type));
        const missing = ["registry.loaded", "policy.activated", "observability.started"].filter(
          (type) => !types.has(type),
        );
        return demand(
          claim(
            status.phase === "idle" && missing.length === 0,
            "one command starts all of them",
            `missing: ${missing.join(", ") || status.phase}`,
          ),
        );
      }),
    },
  ];
}
