/** A question to an operator as a person reads it: everything that would run, and nothing that only looks like it. */
import { type ApprovedFile, type FactQuestion, type Facts, printable } from "@femtoclaw/protocol";
import type { ApprovalView } from "@femtoclaw/runtime";
import { hostText } from "./call-text.ts";
import type { Output } from "./output.ts";
import { table } from "./table.ts";

/** LIMIT: characters of one argument on a card; what is longer is cut with its length, and `--json` has all of it. */
const ARGUMENT_CHARS = 2_000;
/** A digest is recognized by its beginning. */
const DIGEST_CHARS = 16;

/** Everything that a person has to know to answer, in lines of which none can pretend to be another. */
export function cardLines(approval: ApprovalView, output: Output): string[] {
  const { id, tool, rule, reason, source, label, agent, channel, session } = approval;
  const who = [agent === null ? "an agent" : `"${shown(agent)}"`, `through the door "${channel}"`].join(" ");
  const rows: Row[] = [
    ["asks", `${who}, session ${session}`],
    ["because", `${shown(reason)}  (${shown(rule)}${source === null ? "" : `, ${shown(source)}`})`],
    ...(label === null ? [] : [["label", shown(label)] as Row]),
    ...factRows(approval.facts),
    ...argumentRows(approval.args),
    ...approval.files.map((file): Row => ["file", fileText(file)]),
    ["asked", approval.asked_at],
    ["expires", approval.expires_at],
    ...(approval.approvers === 1 ? [] : [["operators", operatorsText(approval)] as Row]),
    ["digest", approval.digest],
  ];
  const warning = "the agent runs as your user and could answer this itself";
  return [
    `${output.style("bold", `question ${id}`)}  ${output.style("cyan", shown(tool))}`,
    ...table(
      rows.map(([name, text]) => [output.style("dim", name), text]),
      "  ",
    ),
    ...(approval.self_approvable ? [`  ${output.style("yellow", "self-approvable")}  ${warning}`] : []),
  ];
}

const shown = (text: string): string => printable(text, ARGUMENT_CHARS);

type Row = readonly [name: string, text: string];

const factRows = (facts: Facts | null): Row[] => (facts?.questions ?? []).flatMap(questionRows);

function questionRows(question: FactQuestion): Row[] {
  if (question.kind === "tool") return [];
  if (question.kind === "path") {
    const bytes = question.bytes === 0 ? "" : `, ${question.bytes} bytes to write`;
    return [["path", `${shown(question.path)}  (${question.type}${bytes})`]];
  }
  if (question.kind === "host") return [["to", hostText(question)]];
  const { program, real_path, sha256, environment, cwd } = question;
  const target = program === real_path ? "" : ` -> ${shown(real_path)}`;
  const sets: Row[] = environment.length === 0 ? [] : [["sets", environment.map(shown).join(" ")]];
  return [
    ["program", `${shown(program)}${target}  sha256 ${sha256.slice(0, DIGEST_CHARS)}…`],
    ["in", shown(cwd)],
    ...sets,
  ];
}

/** Each argument stands on a line of its own, in quotes, so that one with spaces is not two. */
function argumentRows(args: ApprovalView["args"]): Row[] {
  if (args === null) return [["arguments", "were erased"]];
  return Object.entries(args).flatMap(([name, value]): Row[] => {
    const values = Array.isArray(value) ? value : [value];
    return values.map((item, index) => [
      index === 0 ? shown(name) : "",
      printable(typeof item === "string" ? JSON.stringify(item) : (JSON.stringify(item) ?? ""), ARGUMENT_CHARS),
    ]);
  });
}

function fileText({ path, bytes, sha256 }: ApprovedFile): string {
  const content = sha256 === null ? "content not shown" : `sha256 ${sha256.slice(0, DIGEST_CHARS)}…`;
  return `${shown(path)}  ${bytes} bytes, ${content}`;
}

function operatorsText({ granted, approvers }: ApprovalView): string {
  const said = granted.length === 0 ? "" : `: ${granted.map((name) => shown(name)).join(", ")}`;
  return `${granted.length} of ${approvers} have said yes${said}`;
}
