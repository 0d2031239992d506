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
const ASKS = "a server behind the gate asks clients for nothing, neither for a model nor for a person nor for folders";

const each = (names: readonly string[], why: string): Exemptions =>
  Object.fromEntries(names.map((name) => [name, { why }]));

/** It wants a tool that asks its client for a model; the one of the suite's name is not there, or gets nothing. */
const STATELESS: Exemptions = {
  "server-stateless": {
    why: ASKS,
    checks: ["sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400"],
  },
};

const OF_BOTH: Readonly<Record<Revision, Exemptions>> = {
  "2025-11-25": {
    ...each(["tools-call-sampling", "tools-call-elicitation"], ASKS),
    ...each(["elicitation-sep1034-defaults", "elicitation-sep1330-enums"], ASKS),
  },
  "2026-07-28": {
    ...STATELESS,
    ...each(
      [
        ...["basic-elicitation", "basic-sampling", "basic-list-roots", "request-state", "multiple-input-requests"],
        ...["multi-round", "non-tool-request", "result-type", "tampered-state", "capability-check"],
      ].map((name) => `input-required-result-${name}`),
      ASKS,
    ),
  },
};

const OF_THE_FIXTURE = [
  ...["tools-call-image", "tools-call-audio", "tools-call-embedded-resource", "tools-call-mixed-content"],
  ...["resources-read-text", "resources-read-binary", "resources-templates-read"],
  ...["prompts-get-simple", "prompts-get-with-args", "prompts-get-embedded-resource", "prompts-get-with-image"],
  ...["tools-call-with-progress", "completion-complete"],
];

/** Of these the later revision has none. */
const OF_THE_FIXTURE_BEFORE = ["tools-call-with-logging", "resources-subscribe", "resources-unsubscribe"];

/** Of the suite's fixture behind the gate. */
export function gatewayExemptions(revision: Revision): Exemptions {
  return OF_BOTH[revision];
}

/** Of the product's own server, which has nothing of the fixture. */
export function ownExemptions(revision: Revision): Exemptions {
  const before = revision === "2025-11-25" ? OF_THE_FIXTURE_BEFORE : [];
  return { ...OF_BOTH[revision], ...each([...OF_THE_FIXTURE, ...before], NAMES) };
}
