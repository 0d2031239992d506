/** What was asked for and its outcome, displayed as plain text only. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { answerOf } from "./answers.ts";
import { Block, Json, Pane, plural, shown } from "./text.tsx";

export function Outcome({ records }: { readonly records: readonly TypedRecord[] }) {
  const first = records.find(({ type }) => type === "execution.intent" || type === "approval.asked");
  const refused = records.find((record) => record.type === "execution.refused");
  const outcome = records.find((record) => record.type === "execution.outcome");
  const message = records.find((record) => record.type === "message.recorded");
  const interrupted = records.find(({ type }) => type === "execution.interrupted" || type === "execution.inherited");
  const resolved = records.find((record) => record.type === "execution.resolved");
  const request = bodyOf(first);
  const result = bodyOf(outcome);
  const error = outcome?.body.error ?? (refused === undefined ? undefined : refused.body.error);
  return (
    <>
      {(message ?? first ?? refused) !== undefined && (
        <Pane title="Request">
          {message !== undefined && <Block label="message" text={message.body.content ?? "kept beside the record"} />}
          {first !== undefined && <Value label="arguments" value={request["args"]} record={first} />}
          {first === undefined && refused !== undefined && (
            <>
              <Block label="what was refused" text={refused.body.request.head} />
              <p class="note">{plural(refused.body.request.bytes, "byte")} in all</p>
            </>
          )}
        </Pane>
      )}
      {(outcome !== undefined || error !== undefined) && (
        <Pane title="Result" aside={outcome?.body.sandbox === null ? undefined : outcome?.body.sandbox}>
          {outcome !== undefined && error === undefined && <Result value={result["result"]} record={outcome} />}
          {error !== undefined && (
            <>
              <p class="reason">
                <code>{error.code}</code> {shown(error.reason, 600)}
              </p>
              <p class="note">{shown(error.fix, 400)}</p>
            </>
          )}
        </Pane>
      )}
      {interrupted !== undefined && (
        <Pane title="Interrupted">
          <p class="reason">
            {interrupted.type === "execution.inherited"
              ? "The log that this one continues left it open. "
              : "The host ended while it ran. "}
            Nobody knows whether its effect happened; nothing runs it again.
          </p>
          {resolved?.type === "execution.resolved" ? (
            <p>
              An operator said: <b>{resolved.body.resolution}</b>, {shown(resolved.body.reason, 400)}
            </p>
          ) : (
            <p class="note">
              Look whether it happened, then say so: <code>femtoclaw executions resolve {interrupted.execution}</code>{" "}
              with <code>--done</code> or <code>--not-done</code>
            </p>
          )}
        </Pane>
      )}
    </>
  );
}

type Body = Readonly<Record<string, unknown>>;

/** The record's body, with the values that it only commits to once they have been fetched. */
function bodyOf(record: TypedRecord | undefined): Body {
  const whole =
    record?.commitments === undefined ? null : answerOf("body", record.seq, (from) => from.body(record.seq));
  return whole === null || typeof whole === "string" ? ((record?.body ?? {}) as unknown as Body) : whole;
}

function Value(props: { readonly label: string; readonly value: unknown; readonly record: TypedRecord }) {
  const { label, value, record } = props;
  const kept = record.commitments ?? [];
  return (
    <>
      {value !== null && value !== undefined && <Json label={label} value={value} />}
      {kept.map(({ path, bytes }) => (
        <p key={path} class="note">
          {plural(bytes, "byte")} of <code>{shown(path, 80)}</code> are kept beside the record, which commits to them
        </p>
      ))}
    </>
  );
}

/** Shows long texts of a result by themselves, and the rest as JSON. */
function Result({ value, record }: { readonly value: unknown; readonly record: TypedRecord }) {
  if (value === null || typeof value !== "object") return <Value label="result" value={value} record={record} />;
  const entries = Object.entries(value);
  const texts = entries.filter(([, held]) => typeof held === "string" && (held.length > 60 || held.includes("\n")));
  const rest = Object.fromEntries(entries.filter((entry) => !texts.includes(entry)));
  return (
    <>
      {texts.map(([name, text]) => (
        <figure key={name}>
          <figcaption>{shown(name, 40)}</figcaption>
          <Block label={name} text={String(text)} />
        </figure>
      ))}
      <Value label="result" value={rest} record={record} />
    </>
  );
}
