/** Clauses 5 to 8: what the process does, what it decides about, and what it costs. */
import { type Claim, type Clause, claim, demand, type Judgement, notChecked, on } from "../judgement.ts";
import type { Answered, CallName, Life, Observations } from "../observations.ts";
import { isolated, seesItselfAlone, seesNoDeniedFile } from "./life-claims.ts";
import { bootsOf, illegalTransitions } from "./lifecycle-table.ts";

const MIB = 1_048_576;
/** LIMIT: share of one processor that an idle host may use. */
export const IDLE_SHARE_MAX = 0.001;
/**
 * LIMIT: garbage may wait for its collection by tens of megabytes, but a kilobyte leaked per execution exceeds this.
 */
export const RSS_GROWTH_MAX_BYTES = 48 * MIB;

/** A call that has to end with this code, or completed if there is none. */
function ends(life: Life, name: CallName, code: string | null): Claim {
  const seen: Answered = life.calls[name];
  const expected = code === null ? seen.status === "completed" : seen.code === code && seen.status !== "completed";
  return claim(
    expected,
    `${name}: ${code ?? "done"}`,
    `${name} ended with ${seen.code ?? seen.status}, not ${code ?? "done"}`,
  );
}

const refusesUnpermitted = (life: Life): Claim[] => [
  ends(life, "unpermittedPath", "FEMTO_POLICY_NO_PERMIT"),
  ends(life, "unpermittedProgram", "FEMTO_POLICY_NO_PERMIT"),
  ends(life, "deniedPath", "FEMTO_POLICY_FORBIDDEN"),
  ends(life, "ownConfiguration", "FEMTO_POLICY_FORBIDDEN"),
];

const noForbiddenEffect = ({ forbiddenEffects }: Life): Claim =>
  claim(
    forbiddenEffects.length === 0,
    "none left a trace on the disk",
    `executed all the same: ${forbiddenEffects.join(", ")}`,
  );

const withoutAuthority = ({ agentVerbs }: Life): Claim => {
  const answered = agentVerbs.filter(({ code }) => code !== "FEMTO_VERB_UNKNOWN").map(({ verb }) => verb);
  return claim(
    agentVerbs.length > 0 && answered.length === 0,
    `an agent asked ${agentVerbs.length} operator's verbs in vain`,
    `not refused to an agent: ${answered.join(", ") || "no verb was asked"}`,
  );
};

/** Where there is no network, there is still an interface that leads to the child itself. */
const noNetwork = ({ isolation: { interfaces } }: Life): Claim =>
  claim(
    interfaces.length > 0 && interfaces.every((name) => name === "lo"),
    "a child has no network",
    `a child has ${interfaces.join(", ") || "shown no interface"}`,
  );

interface Ordinary {
  readonly uid: number | null;
  readonly privileges: string;
  readonly refusedBySystem: string | null;
}

/** The system refuses root nothing, so if the check runs as root, the host of the installation's own user is judged. */
function onOrdinary(judge: (process: Ordinary) => Judgement): (seen: Observations) => Judgement {
  return (seen) =>
    on("life", ({ status: { uid, privileges }, calls: { refusedBySystem } }) => {
      if (uid !== 0) return judge({ uid, privileges, refusedBySystem: refusedBySystem.code });
      const { installation } = seen;
      const installed = installation.ok && installation.value.refused === null ? installation.value.process : null;
      if (installed !== null && installed.uid !== 0) return judge(installed);
      return notChecked("it ran as root alone, whom the system refuses nothing; start it as a user of its own to see");
    })(seen);
}

export const processClauses: readonly Clause[] = [
  {
    id: "5.1",
    demands: "keeps a state machine and takes only its transitions",
    judge: on("life", ({ status, records }) => {
      const illegal = illegalTransitions(records);
      const boots = bootsOf(records).length;
      return demand(
        claim(status.phase === "idle", "status names the phase", `status names the phase ${status.phase}`),
        claim(
          boots > 0 && illegal.length === 0,
          "every recorded transition is one of the table",
          illegal.join(", ") || "no boot is recorded",
        ),
      );
    }),
  },
  {
    id: "5.2",
    demands: "manages the capabilities",
    judge: on("life", (life) =>
      demand(
        ends(life, "unknown", "FEMTO_CAPABILITY_NOT_FOUND"),
        ends(life, "disabled", "FEMTO_CAPABILITY_DISABLED"),
        claim(
          life.registry.disabled === "FEMTO_CAPABILITY_DISABLED",
          "disabled on request",
          `after a disable: ${life.registry.disabled}`,
        ),
        claim(life.registry.enabled === "completed", "and enabled again", `after an enable: ${life.registry.enabled}`),
      ),
    ),
  },
  {
    id: "5.3",
    demands: "manages the memory",
    judge: on("life", ({ crash, audit }) =>
      demand(
        claim(crash.remembered, "records are there after a restart", "history is gone after a restart"),
        claim(audit.verdict === "verified", "the journal verifies", `the journal is ${audit.verdict}`),
      ),
    ),
  },
  {
    id: "5.4",
    demands: "manages telemetry of all that it does",
    judge: on("life", ({ records, spans }) => {
      // What the last boot wrote at its end is only sent by the next one.
      const last = bootsOf(records).at(-1);
      const ended = records.filter(({ type, boot }) => boot !== last && /^execution\.(?:outcome|refused)$/.test(type));
      const told = new Set(spans.map(({ execution }) => execution));
      const untold = ended.filter(({ execution }) => !told.has(execution)).length;
      return demand(
        claim(
          ended.length > 0 && untold === 0,
          `spans of ${ended.length} executions arrived`,
          `${untold} of ${ended.length} executions have no span`,
        ),
      );
    }),
  },
  {
    id: "5.5",
    demands: "refuses what is no message of the protocol",
    judge: on("life", (life) => {
      const taken = life.malformed
        .filter(({ status }) => !["error", "refused"].includes(status))
        .map(({ name }) => name);
      return demand(
        claim(
          life.malformed.length > 0 && taken.length === 0,
          `${life.malformed.length} malformed messages refused`,
          `taken: ${taken.join(", ") || "none was sent"}`,
        ),
        noForbiddenEffect(life),
      );
    }),
  },
  {
    id: "5.6",
    demands: "permits nothing without a rule that does",
    judge: on("life", (life) => demand(...refusesUnpermitted(life), noForbiddenEffect(life))),
  },
  {
    id: "5.7",
    demands: "is a process like others, without privileged helpers",
    judge: onOrdinary(({ uid, privileges }) =>
      demand(
        claim(/^0+$/.test(privileges), `runs as user ${uid} without privileges`, `it has the privileges ${privileges}`),
      ),
    ),
  },
  {
    id: "6.1",
    demands: "capabilities are reached through the runtime alone",
    judge: on("life", (life) => demand(withoutAuthority(life), ...refusesUnpermitted(life), noForbiddenEffect(life))),
  },
  {
    id: "6.2",
    demands: "stands between programs and the system",
    judge: on("life", (life) => demand(isolated(life), noNetwork(life), seesItselfAlone(life), seesNoDeniedFile(life))),
  },
  {
    id: "6.3",
    demands: "decides before it executes",
    judge: on("life", ({ records }) => {
      const decided = new Set<string | null>();
      const wrong: number[] = [];
      for (const { seq, type, execution } of records) {
        if (type === "execution.intent") decided.add(execution);
        if (type === "execution.outcome" && !decided.has(execution)) wrong.push(seq);
      }
      const count = decided.size;
      return demand(
        claim(
          count > 0 && wrong.length === 0,
          `an intent stands before each of ${count} effects`,
          `outcomes without an intent: ${wrong.join(", ")}`,
        ),
      );
    }),
  },
  {
    id: "6.4",
    demands: "what a model says is never executed by itself",
    judge: on("life", (life) => demand(ends(life, "message", null), noForbiddenEffect(life), withoutAuthority(life))),
  },
  {
    id: "6.5",
    demands: "authority stays with the operator",
    judge: on("life", (life) =>
      demand(withoutAuthority(life), ends(life, "ownConfiguration", "FEMTO_POLICY_FORBIDDEN")),
    ),
  },
  {
    id: "7.1",
    demands: "runs programs and reaches files and the network of the system",
    judge: on("life", (life) =>
      demand(
        ends(life, "read", null),
        ends(life, "write", null),
        ends(life, "program", null),
        ends(life, "fetch", null),
        ends(life, "unpermittedFetch", "FEMTO_POLICY_FORBIDDEN"),
        claim(
          life.calls.terminal.text?.split("typed").length === 3,
          "terminal: a program on it answered",
          "a program on a terminal did not answer",
        ),
      ),
    ),
  },
  {
    id: "7.2",
    demands: "keeps to the system's own permissions",
    judge: onOrdinary(({ refusedBySystem }) =>
      demand(
        claim(
          refusedBySystem !== null,
          `a refusal of the system is answered: ${refusedBySystem}`,
          "a file that the system closes was read",
        ),
      ),
    ),
  },
  {
    id: "8.1",
    demands: "is sparing while nothing happens",
    judge: on("life", ({ resources: { idleCpuShare } }) => {
      if (Number.isNaN(idleCpuShare)) return notChecked("this system does not tell processor time");
      const share = `${(idleCpuShare * 100).toFixed(3)} % of a processor while idle`;
      return demand(claim(idleCpuShare <= IDLE_SHARE_MAX, share, `${share}; 0.1 % is the most`));
    }),
  },
  {
    id: "8.2",
    demands: "leaks nothing",
    judge: on("life", ({ resources: { executions, rssGrowthBytes, descriptorGrowth, zombies } }) => {
      if (Number.isNaN(rssGrowthBytes)) return notChecked("this system does not tell memory and descriptors");
      const grown = `${(rssGrowthBytes / MIB).toFixed(1)} MiB, ${descriptorGrowth} descriptors and ${zombies} zombies more after ${executions} executions`;
      return demand(
        claim(rssGrowthBytes <= RSS_GROWTH_MAX_BYTES && descriptorGrowth <= 2 && zombies === 0, grown, grown),
      );
    }),
  },
  {
    id: "8.3",
    demands: "gives everything back at a stop",
    judge: on("life", ({ stop: { leftBehind } }) =>
      demand(
        claim(
          leftBehind.length === 0,
          "no socket, child or temporary file is left",
          `left behind: ${leftBehind.join(", ")}`,
        ),
      ),
    ),
  },
  {
    id: "8.4",
    demands: "bounds what it takes of its machine",
    judge: on("life", (life) =>
      demand(
        claim(life.calls.flood.truncated, "a flood of output is cut off", "a flood of output was taken"),
        ends(life, "slow", "FEMTO_CAPABILITY_TIMED_OUT"),
        claim(
          life.overload.includes("FEMTO_OVERLOADED"),
          "more calls than there is room for are refused",
          "of a flood of calls none was refused",
        ),
      ),
    ),
  },
];
