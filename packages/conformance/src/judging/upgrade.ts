/** Clauses 14 and 17.4: what an upgrade keeps, and what telemetry reports about it. */
import { type Claim, type Clause, claim, demand, type Judgement } from "../judgement.ts";
import type { Observations, Upgrade } from "../observations.ts";
import { onInstallable } from "./installation.ts";

type Whole = Extract<Upgrade, { refused: null }>;

const onUpgrade = (judge: (upgrade: Whole) => Judgement): ((seen: Observations) => Judgement) =>
  onInstallable("upgrade", judge);

const upgraded = ({ exits, phase, from }: Whole): Claim =>
  claim(
    exits.upgraded === 0 && ["idle", "executing"].includes(phase),
    `upgraded from ${from}`,
    `the upgrade ended with ${exits.upgraded}, and its host is ${phase}`,
  );

export const upgradeClauses: readonly Clause[] = [
  {
    id: "14.1",
    demands: "an upgrade keeps memory",
    judge: onUpgrade((upgrade) => {
      const { history, question } = upgrade;
      return demand(
        upgraded(upgrade),
        claim(
          history.records > 0 && history.changed.length === 0,
          `${history.records} records from before are as they were`,
          `gone or changed: ${history.changed.join(", ") || "there were none"}`,
        ),
        claim(
          question.isOpen && question.effects === 1,
          "what waited for an operator ran once, after it",
          `what waited was ${question.isOpen ? "open" : "lost"} and ran ${question.effects} times`,
        ),
      );
    }),
  },
  {
    id: "14.2",
    demands: "an upgrade keeps audit history",
    judge: onUpgrade(({ history: { checkpoint, proof } }) =>
      demand(
        claim(
          checkpoint === 0,
          "the log continues an earlier checkpoint",
          `a verification by a checkpoint of before ended with ${checkpoint}`,
        ),
        claim(proof === 0, "a proof of before checks", `a proof of before ended with ${proof}`),
      ),
    ),
  },
  {
    id: "14.3",
    demands: "an upgrade keeps configuration",
    judge: onUpgrade(({ configuration: { same, kept } }) =>
      demand(
        claim(same, "the configuration is the same to the byte", "the configuration was changed"),
        claim(
          kept,
          "and kept beside the executable that ran with it",
          "the executable before has no copy of its configuration",
        ),
      ),
    ),
  },
  {
    id: "14.4",
    demands: "an upgrade keeps state",
    judge: onUpgrade(({ exits, kills }) => {
      const mixed = kills.filter(({ works, again, phase }) => !works || again !== 0 || phase !== "idle");
      return demand(
        claim(
          kills.length > 0 && mixed.length === 0,
          `killed ${kills.length} times, the old or the new was in force, and the next one ended it`,
          `after a kill: ${mixed.map(({ works, again, said, phase }) => `${works ? "whole" : "broken"}, the next one ended with ${again} (${said}), the host is ${phase}`).join("; ")}`,
        ),
        claim(exits.rolledBack === 0, "and it was taken back", `the way back ended with ${exits.rolledBack}`),
      );
    }),
  },
  {
    id: "14.5",
    demands: "an upgrade keeps safety",
    judge: onUpgrade(({ refusals, undisturbed, executedBetween }) => {
      const taken = Object.entries(refusals).filter(([, { exit, code }]) => exit !== 78 || code === null);
      return demand(
        claim(
          taken.length === 0,
          `refused: ${Object.keys(refusals).join(", ")}`,
          taken.map(([what, { exit, said }]) => `with ${what} it ended with ${exit}: ${said}`).join("; "),
        ),
        claim(undisturbed, "while the host went on", "the host did not go on through what was refused"),
        claim(
          executedBetween.length === 0,
          "nothing was executed between one version and the next",
          `executed between versions: ${executedBetween.join(", ")}`,
        ),
      );
    }),
  },
  {
    id: "17.4",
    demands: "tells of upgrades",
    judge: onUpgrade(({ told }) => {
      const missing = ["upgraded", "rolled_back"].filter((change) => !told.includes(`femtoclaw.deployment ${change}`));
      return demand(claim(missing.length === 0, `arrived: ${told.join(", ")}`, `never arrived: ${missing.join(", ")}`));
    }),
  },
];
