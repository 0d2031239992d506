/** What is explored: small enough to be searched whole, and together everything that meets in the gate. */
import type { Scenario } from "./trial.ts";

export const SCENARIOS: readonly Scenario[] = [
  { name: "three permitted calls", calls: [{ tool: "work" }, { tool: "work" }, { tool: "work" }] },
  {
    name: "permitted, forbidden and unknown",
    calls: [{ tool: "work" }, { tool: "forbidden" }, { tool: "unknown" }],
  },
  {
    name: "two calls, each cancelled at any moment",
    calls: [
      { tool: "work", mayCancel: true },
      { tool: "work", mayCancel: true },
    ],
  },
  {
    name: "a stop while two calls are on their way",
    calls: [{ tool: "work" }, { tool: "work" }],
    mayStop: true,
  },
  {
    name: "an operator who disables the capability",
    calls: [{ tool: "work" }, { tool: "work" }],
    mayDisable: true,
  },
  {
    name: "a call that operators are asked about, beside one that is permitted",
    calls: [{ tool: "asked" }, { tool: "work" }],
    mayAnswer: true,
  },
  {
    name: "a question, its answer, and a proposer who does not want it any more",
    calls: [{ tool: "asked", mayCancel: true }],
    mayAnswer: true,
    mayDisable: true,
  },
  {
    name: "a question, its answer, and another policy",
    calls: [{ tool: "asked" }],
    mayAnswer: true,
    maySwap: true,
    mayFail: true,
  },
  {
    name: "a disk that fails",
    calls: [{ tool: "work" }, { tool: "work" }, { tool: "unknown" }],
    mayFail: true,
  },
  {
    name: "one call, and everything that can meet it",
    calls: [{ tool: "work", mayCancel: true }],
    mayDisable: true,
    mayStop: true,
    mayFail: true,
  },
];
