/** Clauses 9 to 13: from the first start through a crash to the last stop, according to the journal. */
import { type Claim, type Clause, claim, demand, on } from "../judgement.ts";
import type { Failures, Life } from "../observations.ts";
import { onInstallation } from "./installation.ts";
import { bootsOf, illegalTransitions, phaseLeft, phaseReached } from "./lifecycle-table.ts";

const verified = ({ audit }: Life): Claim =>
  claim(
    audit.verdict === "verified" && audit.exit === 0,
    "the journal verifies",
    `the journal is ${audit.verdict}, exit ${audit.exit}`,
  );

/** The step was done in each boot, before the runtime was idle. */
function stepDone(step: string): (life: Life) => Claim {
  return ({ records }) => {
    const boots = bootsOf(records);
    const without = boots.filter((boot) => {
      const left = phaseLeft(records, boot, step);
      return left === null || left > (phaseReached(records, boot, "idle") ?? Number.POSITIVE_INFINITY);
    });
    const shown = `${step} before idle in each of ${boots.length} boots`;
    return claim(boots.length > 0 && without.length === 0, shown, `no ${step} in ${without.join(", ") || "any boot"}`);
  };
}

const refusedStart = (failures: Failures): Claim[] =>
  (["syntax", "othersMayWrite", "failingTest", "flippedByte"] as const).map((name) => {
    const { exit, code } = failures[name];
    return claim(
      exit !== null && exit !== 0 && code !== null,
      `${name}: exit ${exit}, ${code}`,
      `${name}: the start ended with ${exit} and ${code ?? "no code"}`,
    );
  });

const nothingExecuted = ({ forbiddenEffects }: Failures): Claim =>
  claim(forbiddenEffects.length === 0, "nothing was executed", `executed all the same: ${forbiddenEffects.join(", ")}`);

/** The same call leaves the same records, whichever way it came. */
const sameRecords = ({ surfaces }: Life): Claim => {
  const [first] = surfaces;
  const shape = JSON.stringify(first?.records);
  const other = surfaces
    .filter(({ records }) => records.length === 0 || JSON.stringify(records) !== shape)
    .map(({ surface }) => surface);
  return claim(
    surfaces.length > 0 && other.length === 0,
    `the same records by ${surfaces.map(({ surface }) => surface).join(", ")}`,
    `other records by ${other.join(", ")}`,
  );
};

const completed = (life: Life, type: string): Claim => {
  const { execution } = life.calls.program;
  const record = life.records.find((candidate) => candidate.execution === execution && candidate.type === type);
  return claim(record !== undefined, `record ${record?.seq} is its ${type}`, `a call that was done has no ${type}`);
};

const stopped = ({ stop }: Life): Claim =>
  claim(
    stop.exit === 0 && stop.missing.length === 0 && stop.acknowledged > 0,
    `${stop.acknowledged} calls were acknowledged before a stop under load, and all are recorded`,
    `exit ${stop.exit}; acknowledged ${stop.acknowledged}, not recorded: ${stop.missing.join(", ") || "none"}`,
  );

const startup = (id: string, demands: string, step: string): Clause => ({
  id,
  demands,
  judge: on("life", (life) => demand(stepDone(step)(life))),
});

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
  startup("10.1", "a start loads the configuration", "loadingConfiguration"),
  startup("10.2", "a start opens the memory", "openingMemory"),
  startup("10.3", "a start loads the capabilities", "loadingRegistry"),
  {
    id: "10.4",
    demands: "a start makes a policy that decides",
    judge: on("life", (life) => {
      const { records } = life;
      const active = records.filter(({ type }) => type === "policy.activated").length;
      return demand(
        stepDone("loadingPolicy")(life),
        claim(
          active >= bootsOf(records).length,
          "a revision is recorded in each",
          "a boot has no revision of the policy",
        ),
      );
    }),
  },
  {
    id: "10.5",
    demands: "a start begins telemetry",
    judge: (seen) => {
      const life = on("life", (value) => demand(stepDone("startingObservability")(value)))(seen);
      if (life.verdict !== "holds") return life;
      return on("failures", ({ damagedCursor: { started, observability } }) =>
        demand(
          claim(
            started && ["exporting", "degraded"].includes(observability),
            `${life.evidence}; with a damaged cursor it is ${observability}`,
            `with a damaged cursor: ${observability}`,
          ),
        ),
      )(seen);
    },
  },
  {
    id: "10.6",
    demands: "nothing executes before the start is complete",
    judge: on("life", ({ beforeStart, records }) => {
      const early = bootsOf(records).flatMap((boot) => {
        const own = records.filter((record) => record.boot === boot);
        const idle = phaseReached(records, boot, "idle") ?? Number.POSITIVE_INFINITY;
        return own.filter(({ type, seq }) => type === "execution.intent" && seq < idle).map(({ seq }) => seq);
      });
      return demand(
        claim(
          beforeStart === 69,
          "a call before the start is refused",
          `a call before the start ended with ${beforeStart}`,
        ),
        claim(early.length === 0, "no intent stands before idle", `intents before idle: ${early.join(", ")}`),
      );
    }),
  },
  {
    id: "10.7",
    demands: "a start that fails executes nothing",
    judge: on("failures", (failures) => demand(...refusedStart(failures), nothingExecuted(failures))),
  },
  { id: "11.1", demands: "takes input by every way alike", judge: on("life", (life) => demand(sameRecords(life))) },
  {
    id: "11.2",
    demands: "validates it",
    judge: on("life", (life) => {
      const { code } = life.calls.badArguments;
      return demand(
        sameRecords(life),
        claim(code === "FEMTO_ARGUMENTS_INVALID", "wrong arguments are refused", `wrong arguments: ${code}`),
      );
    }),
  },
  {
    id: "11.3",
    demands: "authorizes it",
    judge: on("life", (life) => {
      const { decision } = life.calls.program;
      return demand(
        sameRecords(life),
        claim(decision === "AUTHORIZED", "the reply names the decision", `the reply's decision is ${decision}`),
      );
    }),
  },
  {
    id: "11.4",
    demands: "executes it",
    judge: on("life", (life) => {
      const { text } = life.calls.program;
      return demand(
        sameRecords(life),
        claim(text === "from the sandbox\n", "the program's own words came back", "the program did not answer"),
      );
    }),
  },
  {
    id: "11.5",
    demands: "records it, before the effect and before the answer",
    judge: on("life", (life) =>
      demand(completed(life, "execution.intent"), completed(life, "execution.outcome"), stopped(life)),
    ),
  },
  {
    id: "11.6",
    demands: "every answer can be traced to its record",
    judge: on("life", ({ audit: { proofs, forgedProof } }) =>
      demand(
        claim(
          proofs.length > 0 && proofs.every((exit) => exit === 0),
          `${proofs.length} answers are proved to be in the signed log`,
          `proofs ended with ${proofs.join(", ")}`,
        ),
        claim(
          forgedProof === 1,
          "another record under the same proof is refused",
          `another record under the same proof: exit ${forgedProof}`,
        ),
      ),
    ),
  },
  { id: "12.1", demands: "a stop keeps all that was acknowledged", judge: on("life", (life) => demand(stopped(life))) },
  {
    id: "12.2",
    demands: "a stop keeps telemetry that was not sent",
    judge: on("life", ({ spans, spansWhileShut, records }) => {
      const boots = spans.filter(({ name }) => name === "femtoclaw.boot").length;
      return demand(
        claim(
          spansWhileShut === 0 && boots >= bootsOf(records).length - 1,
          `after a receiver that refused and a kill, ${boots} boots were told`,
          `${boots} boots were told, ${spansWhileShut} spans while the receiver refused`,
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
