/**
 * Scenarios that do not apply, each with its reason. One that is listed here and passes is a failure of this list; so
 * is one that fails in another check than those that are named.
 */
export type Revision = "2025-11-25" | "2026-07-28";
export const REVISIONS: readonly Revision[] = ["2025-11-25", "2026-07-28"];

export interface Exemption {
  readonly why: string;
  /** The checks that may fail; absent for all of the scenario's own. */
  readonly checks?: readonly string[];
}

type Exemptions = Readonly<Record<string, Exemption>>;

const NAMES = "it calls a tool, resource or prompt by a name that only the suite's fixture has";

const OF_BOTH = [
  ...["tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content"],
  ...["resources-read-text", "resources-read-binary", "resources-templates-read"],
  ...["prompts-get-simple", "prompts-get-with-args", "prompts-get-embedded-resource", "prompts-get-with-image"],
  ...["tools-call-with-progress", "completion-complete"],
];

const OF_ONE: Readonly<Record<Revision, readonly string[]>> = {
  "2025-11-25": [
    ...["tools-call-with-logging", "resources-subscribe", "resources-unsubscribe"],
    ...["tools-call-sampling", "tools-call-elicitation"],
    ...["elicitation-sep1034-defaults", "elicitation-sep1330-enums"],
  ],
  "2026-07-28": [
    ...["basic-elicitation", "basic-sampling", "basic-list-roots", "request-state", "multiple-input-requests"],
    ...["multi-round", "non-tool-request", "result-type", "tampered-state", "capability-check"],
  ].map((name) => `input-required-result-${name}`),
};

/** Of a revision, checks alone of a scenario that passes in all others. */
const CHECKS: Readonly<Record<Revision, Exemptions>> = {
  "2025-11-25": {},
  "2026-07-28": {
    "server-stateless": {
      why: NAMES,
      checks: ["sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400"],
    },
  },
};

/** Of the suite's fixture behind the gate all of them apply. */
export const GATEWAY_EXEMPTIONS: Exemptions = {};

/** Of the product's own server, which has nothing of the fixture. */
export function ownExemptions(revision: Revision): Exemptions {
  const named = [...OF_BOTH, ...OF_ONE[revision]].map((name) => [name, { why: NAMES }] as const);
  return { ...Object.fromEntries(named), ...CHECKS[revision] };
}
