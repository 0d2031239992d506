/** Clauses 9 to 13: from the first start through a crash to the last stop, according to the journal. */
import { type Clause, claim, demand, on } from "../judgement.ts";
import { callClauses } from "./calls.ts";
import { onInstallation } from "./installation.ts";
import { stopped, verified } from "./life-claims.ts";
import { bootsOf, illegalTransitions } from "./lifecycle-table.ts";
import { startupClauses } from "./startup.ts";

const livedThrough = on("life", ({ records }) => {
  const types = new Set(records.map(({ type }) => type));
  const missing = ["boot.started", "execution.outcome", "snapshot.taken"].filter((type) => !types.has(type));
  return demand(claim(missing.length === 0, "", `no record of ${missing.join(", ")}`));
});

export const lifecycleClauses: readonly Clause[] = [
  {
    id: "9.1",
    demands: "goes through installation, start, execution, stop and restart, each of them observable",
    judge: (seen) => {
      const lived = livedThrough(seen);
      if (lived.verdict === "fails") return lived;
      return onInstallation(({ told }) => {
        const isFirst = told.includes("boot.started") && told.includes("deployment.changed");
        return demand(
          claim(
            isFirst,
            "all of them are recorded, by the first boot the installation",
            "no record tells of the installation",
          ),
        );
      })(seen);
    },
  },
  {
    id: "9.2",
    demands: "transitions keep the state whole",
    judge: on("life", (life) => {
      const illegal = illegalTransitions(life.records);
      const boots = bootsOf(life.records).length;
      return demand(
        verified(life),
        claim(
          illegal.length === 0 && boots >= 3,
          `${boots} boots, one ended by a kill, with legal transitions only`,
          illegal.join(", ") || `only ${boots} boots are recorded`,
        ),
      );
    }),
  },
  ...startupClauses,
  ...callClauses,
  { id: "12.1", demands: "a stop keeps all that was acknowledged", judge: on("life", (life) => demand(stopped(life))) },
  {
    id: "12.2",
    demands: "a stop keeps telemetry that was not sent",
    judge: on("life", ({ spans, refusedWhileShut, records }) => {
      const boots = spans.filter(({ name }) => name === "femtoclaw.boot").length;
      return demand(
        claim(
          refusedWhileShut > 0 && boots >= bootsOf(records).length - 1,
          `after a receiver that refused ${refusedWhileShut} times and a kill, ${boots} boots were told`,
          `${boots} boots were told, after a receiver that refused ${refusedWhileShut} times`,
        ),
      );
    }),
  },
  {
    id: "12.3",
    demands: "a stop gives back what it held",
    judge: on("life", ({ stop: { leftBehind } }) =>
      demand(claim(leftBehind.length === 0, "nothing is left", `left behind: ${leftBehind.join(", ")}`)),
    ),
  },
  {
    id: "12.4",
    demands: "a stop, and a kill, leave a journal that verifies",
    judge: on("life", (life) => demand(verified(life))),
  },
  {
    id: "13.1",
    demands: "a restart has the memory of before",
    judge: on("life", ({ approval, crash }) =>
      demand(
        claim(
          approval.openAfterCrash,
          "a question to operators is open after a kill",
          "a question to operators was lost",
        ),
        claim(crash.remembered, "history is listed", "history is gone"),
      ),
    ),
  },
  {
    id: "13.2",
    demands: "a restart loads the configuration, and tells that it changed",
    judge: on("failures", ({ configurationDigests }) => {
      const differ =
        new Set(configurationDigests).size > 1 && configurationDigests.every((digest) => /^[0-9a-f]{64}$/.test(digest));
      return demand(
        claim(
          differ,
          "each boot names its digest, and another one after the change",
          "the boots do not tell the change",
        ),
      );
    }),
  },
  {
    id: "13.3",
    demands: "a restart restores the very state",
    judge: on("life", ({ replay }) =>
      demand(
        claim(
          replay.exit === 0 && replay.snapshotsEqual > 0,
          `${replay.snapshotsEqual} snapshots equal the fold of their records`,
          `the replay ended with ${replay.exit}`,
        ),
        claim(
          replay.recomputed === 0,
          "recomputed by the machines that the records name, too",
          `the recomputation ended with ${replay.recomputed}`,
        ),
      ),
    ),
  },
  {
    id: "13.4",
    demands: "a restart goes on, and repeats nothing",
    judge: on("life", ({ approval, crash }) =>
      demand(
        claim(
          crash.interrupted === "interrupted",
          "what a kill cut off is called interrupted",
          `what a kill cut off is ${crash.interrupted}`,
        ),
        claim(
          approval.firstAnswer === 0 && approval.effects === 1,
          "what waited for an operator ran once",
          `what waited ran ${approval.effects} times, the answer ended with ${approval.firstAnswer}`,
        ),
        claim(approval.secondAnswer !== 0, "a second yes is refused", "a second yes was taken"),
      ),
    ),
  },
  {
    id: "13.5",
    demands: "a restart goes on in the same log",
    judge: on("life", (life) => {
      const gaps = life.records.filter(({ seq }, index) => seq !== index).length;
      return demand(
        verified(life),
        claim(
          gaps === 0 && life.audit.pinned === "matches",
          "one log without a gap, by the key that was known first",
          `${gaps} records out of place; the known key ${life.audit.pinned}`,
        ),
      );
    }),
  },
];
