/** Clauses 4 and 20: how it is installed, and the state of the installation that was asked about. */
import { type Clause, claim, demand, type Judgement, notChecked } from "../judgement.ts";
import type { Deployed, Observations, Seen } from "../observations.ts";

type Whole<K extends "installation" | "upgrade"> =
  Observations[K] extends Seen<infer T> ? Extract<T, { refused: null }> : never;

/** Judges what an installable executable was put through; for another one, nothing was checked. */
export function onInstallable<K extends "installation" | "upgrade">(
  part: K,
  judge: (value: Whole<K>) => Judgement,
): (seen: Observations) => Judgement {
  return ({ executable, [part]: observed }) => {
    if (executable.ok && !executable.value.isStandalone) {
      return notChecked("this is a checkout that runs by the Node.js beside it; name an executable with --bin");
    }
    if (!observed.ok) return { verdict: "fails", evidence: `not observed: ${observed.reason}` };
    const { refused } = observed.value;
    return refused === null
      ? judge(observed.value as Whole<K>)
      : notChecked(`it does not let itself be installed: ${refused}`);
  };
}

export const onInstallation = (judge: (installation: Whole<"installation">) => Judgement) =>
  onInstallable("installation", judge);

export const installationClauses: readonly Clause[] = [
  {
    id: "4.1",
    demands: "installed as an executable with its folders",
    judge: onInstallation(({ layout: { executable, configuration, state } }) =>
      demand(
        claim(executable, "its command runs by its name", "there is no command"),
        claim(
          configuration === "644",
          "a configuration that others read",
          `the configuration has mode ${configuration}`,
        ),
        claim(state === "700", "a place for state that is its user's alone", `the place for state has mode ${state}`),
      ),
    ),
  },
  {
    id: "4.2",
    demands: "installation keeps the executable as it was signed",
    judge: onInstallation(({ sameAsSigned, flipped }) =>
      demand(
        claim(sameAsSigned, "what was installed has the digest that was signed", "another file was installed"),
        claim(
          flipped.exit === 78 && flipped.code === "FEMTO_INTEGRITY_FAILED",
          "one with a flipped byte is not installed",
          `one with a flipped byte ends with ${flipped.exit}: ${flipped.said}`,
        ),
      ),
    ),
  },
  {
    id: "4.3",
    demands: "installation leaves the system's security as it was",
    judge: onInstallation(({ outside, loose }) =>
      demand(
        claim(outside.length === 0, "nothing was made anywhere else", `made elsewhere: ${outside.join(", ")}`),
        claim(
          loose.length === 0,
          "nothing lends rights or can be changed by others",
          `lends rights or can be changed by others: ${loose.join(", ")}`,
        ),
      ),
    ),
  },
  {
    id: "4.4",
    demands: "installation ends whole or not at all",
    judge: onInstallation(({ kills }) => {
      const mixed = kills.filter(({ left, again, works }) => left === "part" || again !== 0 || !works);
      return demand(
        claim(
          kills.length > 0 && mixed.length === 0,
          `killed ${kills.length} times, it was ${[...new Set(kills.map(({ left }) => left))].join(" or ")}, and the next one ended it`,
          `after a kill: ${mixed.map(({ left, again }) => `${left === "part" ? "a part of it" : left} was left, the next one ended with ${again}`).join("; ") || "nobody was killed"}`,
        ),
      );
    }),
  },
];

const NOT_ASKED = "none was made here; look at one that is installed with --installed";

function onDeployed(judge: (deployed: Deployed) => Judgement): (seen: Observations) => Judgement {
  return ({ deployed }) => {
    if (deployed === null) return notChecked(NOT_ASKED);
    return deployed.ok ? judge(deployed.value) : { verdict: "fails", evidence: `not observed: ${deployed.reason}` };
  };
}

/** Judges a deployment whose configuration is readable; otherwise only the clause about the configuration fails. */
function onConfigured(judge: (deployed: Deployed) => Judgement): (seen: Observations) => Judgement {
  return onDeployed((deployed) => {
    const configuration = found(deployed, "configuration");
    return configuration.holds ? judge(deployed) : notChecked(`nothing can be asked of it: ${configuration.otherwise}`);
  });
}

/** What `doctor` said about one thing; what it did not examine does not hold. */
function found({ findings }: Deployed, check: string) {
  const finding = findings.find((one) => one.check === check);
  const detail = finding?.detail ?? "nobody looked";
  return claim(finding?.verdict === "ok", `${check}: ${detail}`, `${check}: ${detail}`);
}

export const deployedClauses: readonly Clause[] = [
  {
    id: "20.1",
    demands: "a conforming deployment is installed right",
    judge: onDeployed((deployed) => demand(found(deployed, "installation"), found(deployed, "integrity"))),
  },
  {
    id: "20.2",
    demands: "has the configuration in force that lies on the disk",
    judge: onDeployed((deployed) => {
      const { inForce, onDisk } = deployed;
      const right = found(deployed, "configuration");
      if (!right.holds) return demand(right);
      if (inForce === null) return notChecked("no host runs that has one in force");
      const same = claim(inForce === onDisk, "by its digest", `in force is ${inForce}, on the disk lies ${onDisk}`);
      return demand(right, same);
    }),
  },
  {
    id: "20.3",
    demands: "has a memory that verifies",
    judge: onConfigured(({ verify: { exit, verdict } }) => {
      if (exit === 3) return notChecked(`its verification is ${verdict}`);
      return demand(claim(exit === 0, `its verification says ${verdict}`, `its verification says ${verdict || exit}`));
    }),
  },
  {
    id: "20.4",
    demands: "has a log that continues what was seen of it",
    judge: onConfigured((deployed) => {
      const { goesOn, verify } = deployed;
      return demand(
        claim(goesOn !== false, "the host's log continues what was seen", "the host's log is another one"),
        claim(verify.pinned !== "differs", "and is of the key that was seen", "and is of another key"),
        found(deployed, "remembered"),
      );
    }),
  },
  {
    id: "20.5",
    demands: "keeps to the system's security",
    judge: onConfigured((deployed) => {
      const seen = demand(found(deployed, "sandbox"), found(deployed, "permissions"));
      if (seen.verdict === "fails") return seen;
      const user = found(deployed, "user");
      return user.holds
        ? demand(user, claim(true, seen.evidence, ""))
        : notChecked(`${user.otherwise}; ${seen.evidence}`);
    }),
  },
];
