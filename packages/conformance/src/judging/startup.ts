/** Clause 10: what a start does, in which order, and what a start that fails does not do. */
import { type Claim, type Clause, claim, demand, on } from "../judgement.ts";
import type { Failures, Life } from "../observations.ts";
import { bootsOf, phaseLeft, phaseReached } from "./lifecycle-table.ts";

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

const startup = (id: string, demands: string, step: string): Clause => ({
  id,
  demands,
  judge: on("life", (life) => demand(stepDone(step)(life))),
});

export const startupClauses: readonly Clause[] = [
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
];
