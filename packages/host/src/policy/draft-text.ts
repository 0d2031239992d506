/** A draft as a femtoclaw.toml: entries with the records that they come from, and the rest as comments. */
import type { GrantProposal } from "@femtoclaw/policy";
import { parseJson, printable } from "@femtoclaw/protocol";
import { type GrantContext, grantLine, insertionOf } from "../configuration/grant-text.ts";
import { tomlKey } from "../configuration/toml-text.ts";
import { countText } from "../terminal/count-text.ts";
import type { Drafted, PolicyDraft } from "./draft.ts";

/** LIMIT: characters of one comment. */
const COMMENT_CHARS = 400;

export function draftText(draft: PolicyDraft, context: GrantContext): string {
  const { denied, permitted, undecidable, left_out } = draft;
  const lists = new Map<string, string[]>();
  for (const drafted of draft.grants) {
    const { path, item } = insertionOf(drafted.about, context);
    const place = JSON.stringify(path);
    lists.set(place, [...(lists.get(place) ?? []), ...itemLines(drafted, item)]);
  }
  return [
    `# Drafted from ${countText(denied, "denied call")}. Nothing here is in force: read it, and take over what you want.`,
    ...(permitted === 0
      ? []
      : [`# ${permitted} of them are permitted by the present configuration, or wait for an operator's yes.`]),
    ...(undecidable === 0 ? [] : [`# ${undecidable} of them cannot be decided again on what was recorded.`]),
    ...(left_out === 0 ? [] : [`# ${left_out} of them are left out, because there are too many different ones.`]),
    ...(lists.size === 0 ? ["#", "# There is nothing to propose."] : []),
    ...tableLines(lists),
    ...section(
      "Dangerous: each of these lets an agent choose what code runs, or reach what trusts this machine.",
      draft.dangerous,
      (grant) => [grantLine(grant, context), ...(grant.note === null ? [] : [`  ${grant.note}`])],
    ),
    ...section(
      "Operators said yes to these. An entry that is moved from [ask] to [allow] asks no more.",
      draft.approved,
      (rules) => [rules],
    ),
    ...trialLines(draft),
    ...section("No entry allows these calls.", draft.obstacles, (obstacle) => [obstacle]),
    "",
  ].join("\n");
}

/**
 * Entries on trial are in the configuration already, so the trial's results are told in comments beside the drafted
 * ones.
 */
function trialLines({ trial }: PolicyDraft): string[] {
  if (trial === null) return [];
  const { revision, calls, undecided, permits, asks, denies } = trial;
  const same = permits.length + asks.length + denies.length === 0 ? "; they say the same of each" : "";
  const open = undecided === 0 ? "" : `, ${undecided} of which they could not decide`;
  const rules = (text: string): readonly string[] => [text];
  return [
    "",
    `# On trial: revision ${comment(revision.slice(0, 12))}, asked about ${calls} calls${open}${same}.`,
    ...section("The rules on trial permit these, which were denied or asked about.", permits, rules),
    ...section("The rules on trial ask about these, which were denied or permitted.", asks, rules),
    ...section("The rules on trial deny these, which were permitted or asked about.", denies, rules),
  ];
}

function itemLines(drafted: Drafted<GrantProposal>, item: string): string[] {
  const { note } = drafted.about;
  const tried = drafted.tried === 0 ? "" : `; the rules on trial permit ${drafted.tried} of them`;
  return [`  # ${recordsText(drafted)}${tried}${note === null ? "" : `; ${comment(note)}`}`, `  ${item},`];
}

/** Each table is written once, because TOML does not allow a table to be opened again. */
function tableLines(lists: ReadonlyMap<string, readonly string[]>): string[] {
  const tables = new Map<string, string[]>();
  for (const [place, items] of lists) {
    const path = parseJson(place) as string[];
    const table = path.slice(0, -1).map(tomlKey).join(".");
    const list = [`${tomlKey(path.at(-1) ?? "")} = [`, ...items, "]"];
    tables.set(table, [...(tables.get(table) ?? []), ...list]);
  }
  const names = [...tables.keys()].sort();
  return names.flatMap((name) => ["", `[${name}]`, ...(tables.get(name) ?? [])]);
}

function section<T>(title: string, drafted: readonly Drafted<T>[], text: (about: T) => readonly string[]): string[] {
  if (drafted.length === 0) return [];
  const lines = drafted.flatMap((one) => [...text(one.about), `  ${recordsText(one)}`]);
  return ["", `# ${title}`, ...lines.map((line) => `#   ${comment(line)}`)];
}

function recordsText({ count, records }: Drafted<unknown>): string {
  const more = count > records.length ? " and more" : "";
  return `${count === 1 ? "one call" : `${count} calls`}: ${records.length === 1 ? "record" : "records"} ${records.join(", ")}${more}`;
}

/** INVARIANT: a name chosen by an agent cannot end a comment, because line breaks in it are made visible. */
const comment = (text: string): string => printable(text, COMMENT_CHARS);
