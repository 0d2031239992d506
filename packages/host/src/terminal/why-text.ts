/** A past decision for people: what was asked, who decided, what was missing, and what would change the decision. */
import { printable } from "@femtoclaw/protocol";
import type { ExplainedQuestion, Why, WhyRule, WhyShadow } from "../policy/why.ts";
import { questionText } from "./call-text.ts";
import { factLines } from "./fact-text.ts";
import type { Output } from "./output.ts";
import { table } from "./table.ts";

/** LIMIT: characters of one text on a terminal; `--json` has all of it. */
const TEXT_CHARS = 1_000;

export function whyLines(why: Why, output: Output): string[] {
  const title = (text: string): string[] => ["", output.style("bold", text)];
  const request = typeof why.request === "string" ? { message: why.request } : why.request;
  return [
    `${output.style(COLOURS[why.decision], why.decision)}  ${shown(why.tool ?? "message")}`,
    ...table([
      ["record", String(why.seq)],
      ["execution", shown(why.execution_id ?? "")],
      ["at", shown(why.at)],
      ["asked by", shown(why.principal ?? "")],
      ...(why.revision === null ? [] : [["policy", why.revision.slice(0, 12)]]),
      ...(why.told === null ? [] : [["agent heard", `${shown(why.code ?? "")}: ${shown(why.told.reason)}`]]),
    ]),
    ...title("request"),
    ...factLines(request, output.dataColumns),
    ...(why.questions.length === 0 ? [] : title("facts")),
    ...why.questions.flatMap(({ question }) => factLines(question, output.dataColumns)),
    ...title("decision"),
    ...decisionLines(why, output),
    ...(why.shadow === null ? [] : title("on trial")),
    ...(why.shadow === null ? [] : shadowLines(why.shadow, output)),
    ...title("now"),
    ...nowLines(why, output),
  ];
}

const COLOURS = { allowed: "green", asks: "yellow", denied: "red", "not-decided": "red" } as const;

const shown = (text: string): string => printable(text, TEXT_CHARS);

function decisionLines({ questions, rules, again, event, decision }: Why, output: Output): string[] {
  if (decision === "not-decided") return [`  policy did not decide: the call ended as \`${shown(event)}\``];
  const nearest = new Set(questions.flatMap(({ explanation }) => explanation.nearest?.rule ?? []));
  const deciding = rules.filter(({ id }) => !nearest.has(id));
  return [
    ...(deciding.length === 0
      ? ["  no rule permits it, and what no rule permits is denied"]
      : deciding.flatMap(ruleLines)),
    ...questions.flatMap((question) => nearestLines(question, rules, output)),
    ...againLines(again, output),
  ];
}

function againLines(again: string | null, output: Output): string[] {
  if (again === null) return [];
  if (again === "same") return [output.style("dim", "  decided again under the recorded policy: the same")];
  return [`  ${output.style("yellow", `decided again under the recorded policy: ${shown(again)}`)}`];
}

const TRIAL_WORDS = {
  allowed: "would permit it",
  asks: "would ask an operator",
  denied: "would deny it",
  undecided: "could not decide",
} as const;

/** Only operators see this. A proposer is not told about rules that decide nothing. */
function shadowLines({ revision, verdict, code, rules, differs, again }: WhyShadow, output: Output): string[] {
  const word = TRIAL_WORDS[verdict];
  const text = differs === true ? output.style("yellow", `${word}, unlike those in force`) : word;
  const why = verdict === "undecided" ? ` (${shown(code ?? "")})` : "";
  const none = verdict === "denied" && rules.length === 0 ? ["  no rule on trial permits it"] : [];
  return [
    `  the rules on trial, revision ${revision.slice(0, 12)}, ${text}${why}`,
    ...none,
    ...rules.flatMap(ruleLines),
    ...(verdict === "undecided" ? [] : againLines(again, output)),
  ];
}

function ruleLines({ id, source, reason, fix }: WhyRule): string[] {
  return [
    `  ${shown(id)} (${shown(source ?? "built in")})${reason === null ? "" : `: ${shown(reason)}`}`,
    ...(fix === null ? [] : [`    to change this: ${shown(fix)}`]),
  ];
}

function nearestLines(
  { question, explanation }: ExplainedQuestion,
  rules: readonly WhyRule[],
  output: Output,
): string[] {
  const { nearest, permitting, permits } = explanation;
  if (permitting.length > 0 || explanation.forbidding.length > 0) return [];
  if (nearest === null) {
    return [
      permits === 0 ? "  no rule permits any use of this capability" : `  no permit is about ${questionText(question)}`,
    ];
  }
  const rule = rules.find(({ id }) => id === nearest.rule);
  return [
    `  nearest: ${shown(nearest.rule)} (${shown(rule?.source ?? "built in")})${rule?.reason ? `: ${shown(rule.reason)}` : ""}`,
    ...nearest.failed.map((condition) => `    ${output.style("red", "failed")}  ${condition}`),
    ...nearest.met.map((condition) => `    ${output.style("green", "met")}     ${condition}`),
  ];
}

function nowLines({ now, remedy, seq, decision, told }: Why, output: Output): string[] {
  if (now === null && decision === "not-decided" && told !== null)
    return ["  no rule is asked about such a call", `  ${shown(told.fix)}`];
  if (now === null) return ["  no configuration counts here that would say anything of it"];
  if (now.kind === "undecidable") return [`  it cannot be decided: ${shown(now.obstacle ?? "")}`];
  if (now.kind === "allowed") return [`  the present configuration permits it, by ${now.rules.map(shown).join(", ")}`];
  if (now.kind === "asks")
    return [`  the present configuration asks an operator, by ${now.rules.map(shown).join(", ")}`];
  const { grants, obstacles } = remedy ?? { grants: [], obstacles: [] };
  return [
    "  the present configuration denies it",
    ...obstacles.map((obstacle) => `  ${shown(obstacle)}`),
    ...(grants.length > 0 && obstacles.length === 0 ? ["  this entry would allow it:"] : []),
    ...(obstacles.length > 0 ? [] : grants.flatMap((grant) => grantLines(grant, output))),
    ...(grants.length > 0 && obstacles.length === 0
      ? [`  \`femtoclaw policy allow ${seq}\` shows what else it would change, and writes it`]
      : []),
  ];
}

export function grantLines(
  { line, note, dangerous }: { readonly line: string; readonly note: string | null; readonly dangerous: boolean },
  output: Output,
): string[] {
  return [
    `    ${shown(line)}`,
    ...(note === null ? [] : [`      ${dangerous ? output.style("red", `dangerous: ${shown(note)}`) : shown(note)}`]),
  ];
}
