/** Why a call was permitted, asked about or refused: the rules, and conditions that a permit would have needed. */
import type { RecordBodies, TypedRecord } from "@femtoclaw/protocol";
import { answerOf } from "./answers.ts";
import { held, isLive } from "./store.ts";
import { Json, Pane, shown } from "./text.tsx";

export type Decided = Extract<TypedRecord, { type: "execution.refused" | "execution.intent" | "approval.asked" }>;

export const isDecided = (record: TypedRecord): record is Decided =>
  record.type === "execution.refused" || record.type === "execution.intent" || record.type === "approval.asked";

export function verdictOf(record: Decided): { readonly word: string; readonly tone: string } {
  if (record.type === "execution.intent") return { word: "AUTHORIZED", tone: "done" };
  if (record.type === "approval.asked") return { word: "an operator is asked", tone: "waiting" };
  const { decision, error } = record.body;
  const isDenial = error.error_type === "AuthorizationError";
  return { word: decision ?? error.error_type, tone: isDenial ? "denied" : "failed" };
}

type Rule = NonNullable<RecordBodies["policy.activated"]["rules"]>[number];

/** The rules of the last activation of this revision before the record, by name. */
export function rulesBefore(seq: number, revision: string | null): ReadonlyMap<string, Rule> {
  for (let at = seq; at >= held.value.start; at -= 1) {
    const record = held.value.record(at);
    if (record?.type !== "policy.activated" || record.body.revision !== revision) continue;
    return new Map((record.body.rules ?? []).map((rule) => [rule.id, rule]));
  }
  return new Map();
}

export function Decision({ records }: { readonly records: readonly TypedRecord[] }) {
  const record = records.findLast(isDecided);
  const isDenied = record?.type === "execution.refused" && record.body.facts !== null;
  const answer = isDenied ? answerOf("why", record.seq, (from) => from.explain(String(record.seq))) : null;
  const explained = typeof answer === "string" ? null : answer;
  if (record === undefined) return null;
  const { word, tone } = verdictOf(record);
  const known = rulesBefore(record.seq, record.body.revision);
  const error = record.type === "execution.refused" ? record.body.error : null;
  const nearest = explained?.questions.flatMap((question) => question.nearest ?? []) ?? [];
  return (
    <Pane title="Decision" aside={<b class={`word ${tone}`}>{word}</b>}>
      {error !== null && <p class="reason">{shown(error.reason, 600)}</p>}
      {typeof answer === "string" && <p class="note">{shown(answer, 400)}</p>}
      {isDenied && answer === null && isLive.value && <p class="note">asking which permit came nearest…</p>}
      {record.body.rules.length === 0 && error === null && <p class="calm">No rule is named.</p>}
      <ul class="rules">
        {record.body.rules.map((id) => (
          <RuleLine key={id} id={id} rule={known.get(id)} />
        ))}
      </ul>
      {nearest.map(({ rule, met, failed }) => (
        <div key={rule} class="nearest">
          <p>
            The permit that came nearest: <code>{shown(rule)}</code>
          </p>
          <ul class="conditions">
            {failed.map((condition) => (
              <li key={condition} class="denied">
                <b>not met</b> <code>{shown(condition, 400)}</code>
              </li>
            ))}
            {met.map((condition) => (
              <li key={condition} class="done">
                <b>met</b> <code>{shown(condition, 400)}</code>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {explained?.questions
        .filter((question) => question.nearest === null && question.forbidding.length === 0)
        .slice(0, 1)
        .map(({ permits }) => (
          <p key="none" class="note">
            {permits === 0 ? "No rule permits any use of this tool." : "No permit is about this very file or program."}
          </p>
        ))}
      {record.body.facts !== null && (
        <details>
          <summary>facts that it was decided on</summary>
          <Json label="facts" value={record.body.facts} />
        </details>
      )}
    </Pane>
  );
}

function RuleLine({ id, rule }: { readonly id: string; readonly rule: Rule | undefined }) {
  return (
    <li>
      <code>{shown(id)}</code> {rule?.reason !== undefined && shown(rule.reason, 300)}{" "}
      <span class="note">{shown(rule?.source ?? "built in", 120)}</span>
      {rule?.fix !== undefined && <p class="note">to change it: {shown(rule.fix, 300)}</p>}
    </li>
  );
}
