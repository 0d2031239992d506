/** Questions to operators, as the command line shows them. Answering them is all that this page can change. */
import type { TypedRecord } from "@femtoclaw/protocol";
import { isRedacted } from "@femtoclaw/protocol/display";
import { Component, createRef } from "preact";
import type { Execution } from "../src/history.ts";
import type { Question } from "../src/inspection.ts";
import { rulesBefore } from "./decision.tsx";
import {
  beginning,
  connection,
  held,
  inspection,
  isLive,
  link,
  lookAtQuestions,
  openExecutions,
  questions,
  STILL_READING,
  version,
} from "./store.ts";
import { BLOCK_CHARS, Block, day, Facts, Json, KindChip, shown } from "./text.tsx";

export function Approvals() {
  version.value;
  const open = isLive.value ? questions.value : recorded();
  if (open.length === 0) {
    return (
      <div class="empty">
        <p class="calm">{noQuestion()}</p>
      </div>
    );
  }
  return (
    <div class="cards">
      {!isLive.value && <p class="note">what waited for an operator at this moment</p>}
      {open.map((question) => (
        <Card key={question.id} question={question} />
      ))}
    </div>
  );
}

function noQuestion(): string {
  if (connection.value === "opening") return STILL_READING;
  return isLive.value ? "Nothing waits for you." : "At this moment nothing waited for an operator.";
}

/** Rebuilds the questions of a past moment from records, which tell as much as the host told then. */
function recorded(): Question[] {
  return openExecutions.value.flatMap(({ execution, step }) => {
    const record = execution.records.map((seq) => held.value.record(seq)).find((one) => one?.type === "approval.asked");
    return step.kind === "waiting" && record?.type === "approval.asked" ? [questionOf(execution, record)] : [];
  });
}

function questionOf(execution: Execution, record: TypedRecord & { type: "approval.asked" }): Question {
  const { body, seq, actor, at: asked_at } = record;
  const rule = body.rules.find((id) => !id.endsWith("/granted")) ?? body.rules[0] ?? "";
  const known = rulesBefore(seq, body.revision).get(rule);
  return {
    id: String(seq),
    execution_id: execution.id,
    tool: body.tool,
    rule,
    asked_at,
    expires_at: body.expires_at,
    reason: known?.reason ?? "",
    source: known?.source ?? null,
    session: execution.session ?? "",
    principal: actor?.principal ?? "",
    agent: actor?.agent ?? null,
    channel: actor?.channel ?? null,
    label: body.label,
    args: body.args,
    facts: body.facts,
    files: body.files,
    approvers: body.approvers,
    granted: [],
    digest: body.digest,
    self_approvable: false,
  };
}

function Card({ question }: { readonly question: Question }) {
  const { id, tool, rule, reason, source, principal, agent, channel, session, label, args, files, digest } = question;
  const called = agent === null ? "" : `, which calls itself ${quoted(agent)},`;
  const who = `the principal ${quoted(principal)}${called} through the door ${quoted(channel ?? "")}`;
  return (
    <article class="card" aria-label={`question ${id}`}>
      <header>
        <KindChip kind="waiting" />
        <h2>{shown(tool, 60)}</h2>
        <span class="note">question {id}</span>
        <span class="grow" />
        <a href={link("executions", question.execution_id)}>the execution</a>
      </header>
      <p class="reason">
        {shown(reason, 400)} <code>{shown(rule)}</code> <span class="note">{shown(source ?? "", 200)}</span>
      </p>
      {args === null ? <p class="calm">The arguments are kept beside the record.</p> : <Arguments args={args} />}
      {isRedacted(args) && (
        <p class="warning">What is [redacted] was taken for a secret, is in no record, and runs all the same.</p>
      )}
      <Facts
        rows={[
          ...found(question.facts),
          ["asked by", who],
          ["session", <code key="session">{session}</code>],
          ...(label === null ? [] : [["label", quoted(label)] as const]),
          ...files.map((file) => ["file", `${quoted(file.path)}, ${file.bytes} bytes`] as const),
          ["asked", day(question.asked_at)],
          ["expires", day(question.expires_at)],
          ...(question.approvers === 1
            ? []
            : [["operators", `${question.granted.length} of ${question.approvers} have said yes`] as const]),
          ["digest", <code key="digest">{digest}</code>],
        ]}
      />
      <details>
        <summary>facts that it was decided on</summary>
        <Json label="facts" value={question.facts} />
      </details>
      {question.self_approvable && <p class="warning">The agent runs as your user and could answer this itself.</p>}
      {isLive.value &&
        (beginning.value?.approve === true ? (
          <Answers question={question} />
        ) : (
          <p class="note">
            answer with <code>femtoclaw approvals allow {id}</code> or <code>deny {id}</code>
          </p>
        ))}
    </article>
  );
}

/** LIMIT: characters of one value, which are enough for a text that its escapes make twice as long. */
const VALUE_CHARS = 2 * BLOCK_CHARS;

function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return shown(text, VALUE_CHARS) + (text.length > VALUE_CHARS ? " (cut here; there is more)" : "");
}

/** Facts of a call that have a line of their own, and how they are called there. */
const FOUND = {
  ...{ path: "path", program: "program", real_path: "is really", cwd: "in", environment: "sets", host: "to host" },
  ...{ port: "port", addresses: "at", injects: "with secrets", server: "MCP server", destructive: "destructive" },
};

/** What the host found that a call would touch: the very file, program or address, whatever the arguments call it. */
function found(facts: unknown): [string, string][] {
  const { questions } = (facts ?? { questions: [] }) as { questions: readonly Readonly<Record<string, unknown>>[] };
  return questions.flatMap((fact) =>
    Object.entries(FOUND).flatMap(([name, word]): [string, string][] => {
      const value = fact[name];
      const isPlain = name === "real_path" && value === fact["program"];
      return isPlain || !value || String(value) === "" ? [] : [[word, quoted(value)]];
    }),
  );
}

/** Shows each argument by itself and quoted, so that one with spaces is not taken for two, nor an empty list for none. */
function Arguments({ args }: { readonly args: Readonly<Record<string, unknown>> }) {
  return (
    <dl class="arguments">
      {Object.entries(args).map(([name, value]) => (
        <div key={name}>
          <dt>{shown(JSON.stringify(name), 64)}</dt>
          <dd>
            {typeof value === "string" && value.includes("\n") ? (
              <Block label={name} text={value} />
            ) : (
              (Array.isArray(value) && value.length > 0 ? value : [value]).map((item, index) => (
                <code key={index}>{quoted(item)}</code>
              ))
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface Answering {
  readonly answer: "granted" | "refused";
  readonly reason: string;
  /** What the host objected to. */
  readonly said: string;
}

class Answers extends Component<{ readonly question: Question }, Answering> {
  readonly #dialog = createRef<HTMLDialogElement>();
  override state: Answering = { answer: "refused", reason: "", said: "" };

  override render() {
    const { question } = this.props;
    const { answer, reason, said } = this.state;
    const isYes = answer === "granted";
    return (
      <div class="answers">
        <button type="button" class="answer done" onClick={() => this.#ask("granted")}>
          Allow once…
        </button>
        <button type="button" class="answer denied" onClick={() => this.#ask("refused")}>
          Deny…
        </button>
        <dialog ref={this.#dialog} aria-label="confirm the answer">
          <h2>{isYes ? "Allow exactly this, once?" : "Deny this?"}</h2>
          <p>
            <b>{shown(question.tool, 60)}</b>{" "}
            <code>{shown(held.value.execution(question.execution_id)?.subject ?? "")}</code>, question {question.id}.
            The answer is to the digest <code>{question.digest.slice(0, 16)}…</code>: if anything about the call is
            different by now, it does not count. It becomes a record with your name.
          </p>
          <label>
            reason{" "}
            <input
              value={reason}
              maxLength={1_000}
              onInput={(event) => this.setState({ reason: event.currentTarget.value })}
            />
          </label>
          {said !== "" && (
            <p class="warning" role="alert">
              {shown(said, 600)}
            </p>
          )}
          <div class="answers">
            <button type="button" onClick={() => this.#dialog.current?.close()}>
              Back
            </button>
            <button type="button" class={`answer ${isYes ? "done" : "denied"}`} onClick={() => void this.#give()}>
              {isYes ? "Yes, allow it" : "Yes, deny it"}
            </button>
          </div>
        </dialog>
      </div>
    );
  }

  #ask(answer: Answering["answer"]): void {
    this.setState({ answer, said: "" });
    this.#dialog.current?.showModal();
  }

  async #give(): Promise<void> {
    const { id: approval, digest } = this.props.question;
    const { answer, reason } = this.state;
    try {
      await inspection().answer({ approval, digest, answer, ...(reason === "" ? {} : { reason }) });
      this.#dialog.current?.close();
      await lookAtQuestions();
    } catch (error) {
      this.setState({ said: error instanceof Error ? error.message : String(error) });
    }
  }
}
