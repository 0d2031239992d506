/** What another policy would have decided, for people and for scripts. */
import { printable } from "@femtoclaw/protocol";
import type { DifferenceGroup, Judgement, PolicyDifference } from "@femtoclaw/runtime/redecide";
import { callText } from "./call-text.ts";
import { countText } from "./count-text.ts";
import type { Output } from "./output.ts";

/** LIMIT: groups on a terminal; `--json` has all of them. */
const GROUPS_SHOWN = 50;
const TEXT_CHARS = 400;

/**
 * What is compared with the records: the present configuration, the recorded rules themselves, or the rules that were
 * on trial.
 */
type Compared = "present" | "recorded" | "trial";

const WORDS: Readonly<Record<Compared, { readonly of: string; readonly same: string; readonly differs: string }>> = {
  present: { of: "decided again", same: "nothing would change for these", differs: "would change" },
  recorded: {
    of: "decided again",
    same: "each is decided as its record says",
    differs: "not as their records say",
  },
  trial: { of: "decided by both", same: "both say the same of each", differs: "would have ended otherwise" },
};

export function policyDifferenceLines(difference: PolicyDifference, compared: Compared, output: Output): string[] {
  const { calls, changed, groups, undecidable, never_decided } = difference;
  const { of, same, ...words } = WORDS[compared];
  const differs = `${changed} ${words.differs}`;
  const open = undecidable.reduce((sum, { count }) => sum + count, 0);
  const beside = open === 0 ? "" : `, ${open} not decidable`;
  return [
    `${countText(calls, "call")} ${of}${beside}: ${changed === 0 ? output.style("green", same) : output.style("yellow", differs)}`,
    ...groups.slice(0, GROUPS_SHOWN).flatMap((group) => ["", ...groupLines(group, output)]),
    ...(groups.length > GROUPS_SHOWN ? ["", `and ${groups.length - GROUPS_SHOWN} groups more; --json has them`] : []),
    ...(undecidable.length === 0 ? [] : ["", "not decidable:"]),
    ...undecidable
      .slice(0, GROUPS_SHOWN)
      .map(({ reason, count, examples }) => `  ${count}: ${shown(reason)} (record ${examples.join(", ")})`),
    ...(never_decided === 0 || compared === "trial"
      ? []
      : ["", `left out: ${countText(never_decided, "call")} that ended before any decision`]),
  ];
}

/** The difference for scripts. Its examples come without their facts, which the records hold. */
export function differenceValue({ groups, ...rest }: PolicyDifference): unknown {
  return {
    ...rest,
    groups: groups.map(({ examples, ...group }) => ({
      ...group,
      examples: examples.map(({ seq, execution, call }) => ({ seq, execution, call: callText(call.tool, call.facts) })),
    })),
  };
}

const shown = (text: string): string => printable(text, TEXT_CHARS);

function groupLines(group: DifferenceGroup, output: Output): string[] {
  const { was, now, tool, count, examples } = group;
  const change = `${verdictText(was, output)} → ${verdictText(now, output)}`;
  return [
    `${change}  ${shown(tool)}: ${count === 1 ? "one call" : `${count} calls`}`,
    `  was ${sideText(was, group.was_rules, group.was_code)}; would be ${sideText(now, group.now_rules, group.now_code)}`,
    ...examples.map(({ seq, call }) => `  record ${seq}  ${callText(call.tool, call.facts)}`),
  ];
}

function verdictText(kind: Judgement["kind"], output: Output): string {
  return output.style(({ allowed: "green", asks: "yellow", denied: "red", undecidable: "red" } as const)[kind], kind);
}

function sideText(kind: Judgement["kind"], rules: readonly string[], code: string | null): string {
  if (rules.length > 0 && kind === "asks") return `asked for by ${rules.map(shown).join(", ")}`;
  if (rules.length > 0) return `${kind} by ${rules.map(shown).join(", ")}`;
  return code === null || code === "FEMTO_POLICY_NO_PERMIT" ? "permitted by no rule" : shown(code);
}
