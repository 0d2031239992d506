/** Clauses 15 to 18: isolation, security, telemetry and failure. */
import { type Claim, type Clause, claim, demand, notChecked, on } from "../judgement.ts";
import type { Broken, Failures, Life, Surrounding } from "../observations.ts";
import { isolated, seesItselfAlone, seesNoDeniedFile } from "./life-claims.ts";

const isFailure = ({ exit, code }: Broken): boolean => exit !== null && exit !== 0 && code !== null;

const repaired = ({ repaired: { call, verify } }: Failures): Claim =>
  claim(
    call === 0 && verify === 0,
    "after the repair it executes and verifies",
    `after the repair a call ended with ${call}, the verification with ${verify}`,
  );

const spansNamed = (life: Life, ...names: readonly string[]): Claim => {
  const missing = names.filter((wanted) => !life.spans.some(({ name }) => name === wanted));
  return claim(missing.length === 0, `arrived: ${names.join(", ")}`, `never arrived: ${missing.join(", ")}`);
};

const noSurvivor = ({ crash: { survivors } }: Life): Claim =>
  claim(
    survivors.length === 0,
    "no program outlives a kill of its host",
    `outlived their host: ${survivors.join(", ")}`,
  );

/** A surrounding is safe if the start is refused, or programs are confined as usual. */
const safe = ({ name, started, code, confines }: Surrounding): Claim =>
  started
    ? claim(confines, `with ${name} confined all the same`, `with ${name} a program is not confined`)
    : claim(code !== null, `with ${name} refused: ${code}`, `with ${name} it did not start, and did not say why`);

export const protectionClauses: readonly Clause[] = [
  {
    id: "15.1",
    demands: "programs run isolated",
    judge: on("life", (life) =>
      demand(claim(life.status.sandbox !== null, `in ${life.status.sandbox}`, "no sandbox is in use"), isolated(life)),
    ),
  },
  {
    id: "15.2",
    demands: "harms no other process",
    judge: on("life", (life) => demand(noSurvivor(life), seesItselfAlone(life), seesNoDeniedFile(life))),
  },
  {
    id: "16.1",
    demands: "protects the executable",
    judge: on("life", ({ status: { integrity } }) =>
      integrity === "verified"
        ? demand(claim(true, "it was verified at its start", ""))
        : notChecked(`it calls its own integrity ${integrity}: there is no signed manifest beside it`),
    ),
  },
  {
    id: "16.2",
    demands: "protects the configuration",
    judge: on("failures", ({ othersMayWrite }) =>
      demand(
        claim(
          isFailure(othersMayWrite),
          `one that others may write is refused: ${othersMayWrite.code}`,
          "one that others may write was loaded",
        ),
      ),
    ),
  },
  {
    id: "16.3",
    demands: "protects the memory",
    judge: on("failures", ({ flippedByte, flippedVerify, tampered }) => {
      const { untouched, ...changed } = tampered;
      const unnoticed = Object.entries(changed)
        .filter(([, exit]) => exit === 0 || exit === null)
        .map(([name]) => name);
      return demand(
        claim(
          isFailure(flippedByte),
          `a flipped byte stops the start: ${flippedByte.code}`,
          "a flipped byte did not stop the start",
        ),
        claim(
          flippedVerify.exit === 1,
          "and is found by the verification",
          `and the verification ended with ${flippedVerify.exit}`,
        ),
        claim(
          untouched === 0 && unnoticed.length === 0,
          `found in an export: ${Object.keys(changed).join(", ")}`,
          `not found in an export: ${unnoticed.join(", ") || `untouched, exit ${untouched}`}`,
        ),
      );
    }),
  },
  {
    id: "16.4",
    demands: "gives no secret away",
    judge: on("life", ({ leaks }) =>
      demand(
        claim(
          leaks.length === 0,
          "six secrets went in, and none is in journal, export, log or telemetry",
          `found again: ${leaks.join(", ")}`,
        ),
      ),
    ),
  },
  {
    id: "16.5",
    demands: "keeps its guarantees as it is deployed",
    judge: (seen) => {
      const here = on("life", ({ status: { sandbox, uid } }) =>
        demand(claim(sandbox !== null, `confined as user ${uid}`, "it executes without a sandbox")),
      )(seen);
      if (here.verdict === "fails") return here;
      return on("surroundings", (surroundings) => {
        const tried = surroundings.filter(({ untried }) => untried === null);
        const judged = demand(claim(true, here.evidence, ""), ...tried.map(safe));
        const untried = surroundings
          .filter((one) => !tried.includes(one))
          .map(({ name, untried: why }) => `${name}: ${why}`);
        if (judged.verdict === "fails" || untried.length === 0) return judged;
        return notChecked(`${judged.evidence}; not tried: ${untried.join(", ")}`);
      })(seen);
    },
  },
  {
    id: "17.1",
    demands: "tells of starts",
    judge: on("life", (life) => demand(spansNamed(life, "femtoclaw.boot", "femtoclaw.lifecycle idle"))),
  },
  {
    id: "17.2",
    demands: "tells of stops",
    judge: on("life", (life) => demand(spansNamed(life, "femtoclaw.lifecycle shuttingDown"))),
  },
  {
    id: "17.3",
    demands: "tells of restarts",
    judge: on("life", ({ spans }) => {
      const boots = spans.filter(({ name }) => name === "femtoclaw.boot").length;
      return demand(claim(boots >= 2, `${boots} boots arrived`, `only ${boots} boots arrived`));
    }),
  },
  {
    id: "18.1",
    demands: "a failing start ends safely",
    judge: on("failures", ({ failingTest, twice }) =>
      demand(
        claim(
          isFailure(failingTest),
          `a policy whose test fails: ${failingTest.code}`,
          "a policy whose test fails was started",
        ),
        claim(isFailure(twice), `a second host: ${twice.code}`, "a second host was started"),
      ),
    ),
  },
  {
    id: "18.2",
    demands: "a failing configuration says where and how to mend it",
    judge: on("failures", ({ syntax, unknownKey }) =>
      demand(
        claim(
          isFailure(syntax) && /femtoclaw\.toml:\d+:\d+/.test(syntax.said),
          "with line and column",
          `no place in: ${syntax.said}`,
        ),
        claim(
          /did you mean/.test(unknownKey.said) && /fix:/.test(unknownKey.said),
          "with what was meant",
          `no help in: ${unknownKey.said}`,
        ),
      ),
    ),
  },
  {
    id: "18.3",
    demands: "failing memory loses nothing",
    judge: on("failures", (failures) =>
      demand(
        claim(isFailure(failures.flippedByte), `damage: ${failures.flippedByte.code}`, "damage did not stop the start"),
        repaired(failures),
      ),
    ),
  },
  {
    id: "18.4",
    demands: "failures are told",
    judge: on("failures", (failures) => {
      const silent = (
        ["syntax", "unknownKey", "othersMayWrite", "failingTest", "flippedByte", "twice"] as const
      ).filter((name) => !isFailure(failures[name]));
      return demand(
        claim(silent.length === 0, "each by its exit code and a message with a code", `not told: ${silent.join(", ")}`),
      );
    }),
  },
  {
    id: "18.5",
    demands: "a failure leaves everything whole",
    judge: on("failures", (failures) => demand(repaired(failures))),
  },
];
