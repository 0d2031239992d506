/** Clause 11: what happens to a call, from its arrival to its record. */
import { type Claim, type Clause, claim, demand, on } from "../judgement.ts";
import type { Life } from "../observations.ts";
import { stopped } from "./life-claims.ts";

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

export const callClauses: readonly Clause[] = [
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
];
