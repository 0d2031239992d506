/**
 * A question to an operator in words for a person: it shows everything that would run, and text from the agent cannot
 * pass for FemtoClaw's own.
 */
import {
  type ApprovalCard,
  type ApprovedFile,
  countedText,
  type FactQuestion,
  type Facts,
  isRedacted,
  printable,
} from "@femtoclaw/protocol";
import { hostText, mcpToolText } from "./call-text.ts";
import { changeLines } from "./change-text.ts";
import type { Output } from "./output.ts";
import { prose } from "./prose.ts";
import { hangingTable } from "./table.ts";

/**
 * LIMIT: characters of one argument on a card. A longer one is cut and its length is told; `--json` shows all of it.
 */
const ARGUMENT_CHARS = 2_000;
/**
 * LIMIT: characters of an argument's name, quotes included. The agent may choose names as far as the server of the tool
 * lets it.
 */
const NAME_CHARS = 64;
/** Characters of a digest that are shown; its beginning suffices to recognize it. */
const DIGEST_CHARS = 16;

/** Everything that a person has to know for an answer, in lines of which none can pass for another. */
export function cardLines(approval: ApprovalCard, output: Output): string[] {
  const { id, tool, rule, reason, source, label } = approval;
  const rows: Row[] = [
    ["asks", whoText(approval)],
    ["because", `${shown(reason)}  (${shown(rule)}${source === null ? "" : `, ${shown(source)}`})`],
    ...(label === null ? [] : [["label", quotedName(label)] as Row]),
    ...factRows(approval.facts),
    ...argumentRows(tool, approval.args),
    ...approval.files.map((file): Row => ["file", fileText(file)]),
    ["asked", shown(approval.asked_at)],
    ["expires", shown(approval.expires_at)],
    ...(approval.approvers === 1 ? [] : [["operators", operatorsText(approval)] as Row]),
    ["digest", approval.digest],
    ["log", shown(approval.log)],
  ];
  const flow = (text: string): string => prose(text, output.columns);
  return [
    `${output.style("bold", `question ${id}`)}  ${output.style("cyan", shown(tool))}`,
    ...hangingTable(
      rows.map(([name, text]) => [output.style("dim", name), text] as const),
      "  ",
      output.columns,
    ),
    ...(isRedacted(approval.args) ? [flow(`  ${output.style("yellow", "not all is shown")}  ${SECRETS}`)] : []),
    flow(`  ${output.style("yellow", worth(approval))}  ${warning(approval)}`),
  ];
}

/** Anyone who asks can have any text taken for a secret, so the person has to know that there is one. */
const SECRETS = "what is [redacted] was taken for a secret: it is on no card and in no record, and runs all the same";

/** INVARIANT: I8: whose rights the call has comes first. The name that a client gives itself is said to be just that. */
function whoText({ principal, agent, channel, session }: ApprovalCard): string {
  const called = agent === null ? "" : `, which calls itself ${quotedName(agent)},`;
  return `the principal ${quoted(principal)}${called} through the door ${quoted(channel ?? "")}, session ${shown(session)}`;
}

function worth({ self_approvable, operator_key }: ApprovalCard): string {
  if (self_approvable) return "self-approvable";
  return operator_key ? "signed answers only" : "a yes needs a signature";
}

/** Tells the risk that remains even if a key is required. */
function warning({ self_approvable }: ApprovalCard): string {
  return self_approvable
    ? "an agent that runs as your user could answer this itself"
    : "an agent that runs as your user could still read a key that has no passphrase, or change the configuration";
}

const shown = (text: string): string => printable(text, ARGUMENT_CHARS);

/** Text from others, which may hold blanks and words such as ours. */
const quoted = (text: string): string => countedText(JSON.stringify(text), ARGUMENT_CHARS);

/** A name that a client gave. Records hold it with escapes such as `\u{1b}`, which are shown as they are. */
const quotedName = (text: string): string =>
  countedText(JSON.stringify(text).replaceAll("\\\\u{", "\\u{"), ARGUMENT_CHARS);

type Row = readonly [name: string, text: string];

const factRows = (facts: Facts | null): Row[] => (facts?.questions ?? []).flatMap(questionRows);

function questionRows(question: FactQuestion): Row[] {
  if (question.kind === "tool") return [];
  if (question.kind === "path") {
    const bytes = question.bytes === 0 ? "" : `, ${question.bytes} bytes to write`;
    const below = question.recursive === true ? ", with everything below it" : "";
    return [["path", `${quoted(question.path)}  (${question.type}${below}${bytes})`]];
  }
  if (question.kind === "host") return [["to", hostText(question)]];
  if (question.kind === "mcp_tool") return [["tool", mcpToolText(question)]];
  const { program, real_path, sha256, environment, cwd } = question;
  const target = program === real_path ? "" : ` -> ${quoted(real_path)}`;
  const sets: Row[] = environment.length === 0 ? [] : [["sets", environment.map(quoted).join(" ")]];
  return [
    ["program", `${quoted(program)}${target}  sha256 ${sha256.slice(0, DIGEST_CHARS)}…`],
    ["in", quoted(cwd)],
    ...sets,
  ];
}

/**
 * Each argument has a line of its own, in quotes, so that one with spaces cannot pass for two. Items of a list are
 * numbered, so that none can pass for the rest of the one before. INVARIANT: I8: names are quoted too, because for many
 * tools the agent chooses them. Only FemtoClaw's own words stand there without quotes.
 */
function argumentRows(tool: string, args: ApprovalCard["args"]): Row[] {
  if (args === null) return [["arguments", "were erased"]];
  const { old, new: next, ...others } = args;
  const isEdit = tool === "fs_edit" && typeof old === "string" && typeof next === "string";
  return [...valueRows(isEdit ? others : args), ...(isEdit ? changeRows(old, next) : [])];
}

function changeRows(old: string, next: string): Row[] {
  return changeLines(old, next).map((line, index) => [index === 0 ? "change" : "", line]);
}

// INVARIANT: I8: no argument is without a line: an empty list may mean everything to a tool.
function valueRows(args: Readonly<Record<string, unknown>>): Row[] {
  return Object.entries(args).flatMap(([key, value]): Row[] => {
    const name = printable(JSON.stringify(key), NAME_CHARS);
    if (!Array.isArray(value) || value.length === 0) return [[name, valueText(value)]];
    return value.map((item, index) => [`${name}[${index}]`, valueText(item)]);
  });
}

const valueText = (value: unknown): string => countedText(JSON.stringify(value) ?? "", ARGUMENT_CHARS);

function fileText({ path, bytes, sha256 }: ApprovedFile): string {
  const content = sha256 === null ? "content not shown" : `sha256 ${sha256.slice(0, DIGEST_CHARS)}…`;
  return `${quoted(path)}  ${bytes} bytes, ${content}`;
}

function operatorsText({ granted, approvers }: ApprovalCard): string {
  const said = granted.length === 0 ? "" : `: ${granted.map((name) => shown(name)).join(", ")}`;
  return `${granted.length} of ${approvers} have said yes${said}`;
}
