/**
 * Untrusted text for the page: always a text node, with control and bidirectional characters made visible, and capped.
 */
import { printable } from "@femtoclaw/protocol/display";
import type { ComponentChildren } from "preact";
import { TEXT_CHARS_MAX } from "../src/capped-json.ts";
import type { Kind } from "../src/history.ts";
import { KindIcon } from "./icons.tsx";
import { held, link, type Row } from "./store.ts";

/** LIMIT: characters of a line. */
const LINE_CHARS = 240;
/** LIMIT: lines and characters of a block, which has room for a text as the source caps it, and its true length. */
const BLOCK_LINES = 400;
export const BLOCK_CHARS = TEXT_CHARS_MAX + 64;

export const shown = (text: string, chars = LINE_CHARS): string => printable(text, chars);

/** A text of several lines, each escaped by itself, so that no line can pretend to be another. */
export function Block({ text, label }: { readonly text: string; readonly label: string }) {
  const lines = text.slice(0, BLOCK_CHARS).split("\n");
  if (lines.at(-1) === "") lines.pop();
  const more = text.length > BLOCK_CHARS || lines.length > BLOCK_LINES;
  const visible = lines.slice(0, BLOCK_LINES).map((line) => shown(line, BLOCK_CHARS));
  return (
    <section class="block" aria-label={label}>
      <pre>{visible.join("\n") || " "}</pre>
      {more && <p class="note">cut here; there is more</p>}
    </section>
  );
}

/** A value as JSON, in which all texts are made visible. */
export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return <Block label={label} text={JSON.stringify(value, null, 2) ?? "null"} />;
}

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  waiting: "waits for you",
  running: "running",
  failed: "failed",
  denied: "denied",
  interrupted: "interrupted",
  done: "done",
  message: "message",
};

export function KindChip({ kind }: { readonly kind: Kind }) {
  return (
    <span class={`chip ${kind}`}>
      <KindIcon kind={kind} />
      {KIND_WORDS[kind]}
    </span>
  );
}

/** Executions as links, each with what `of` says of it. */
export function Lines({ rows, of }: { readonly rows: readonly Row[]; of(row: Row): ComponentChildren }) {
  return (
    <ul class="lines">
      {rows.map((row) => (
        <li key={row.execution.id}>
          <a href={link("executions", row.execution.id)}>
            <KindChip kind={row.step.kind} />
            <b>{shown(row.execution.tool, 40)}</b>
            {of(row)}
          </a>
        </li>
      ))}
    </ul>
  );
}

export function Pane({
  title,
  aside,
  children,
  className = "",
}: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly className?: string;
}) {
  return (
    <section class={`pane ${className}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      <div class="content">{children}</div>
    </section>
  );
}

/** Names and values in two columns. */
export function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The time of day in UTC; with its date instead of seconds if that is not the day of the newest record. */
export const clock = (at: string): string =>
  held.value.records.at(-1)?.at.startsWith(at.slice(0, 10)) ? at.slice(11, 19) : at.slice(5, 16).replace("T", " ");

export const day = (at: string): string => `${at.slice(0, 19).replace("T", " ")} UTC`;

export function took(us: number): string {
  if (us < 1_000) return `${us} µs`;
  if (us < 1_000_000) return `${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  return us < 120_000_000 ? `${(us / 1_000_000).toFixed(1)} s` : `${Math.round(us / 60_000_000)} min`;
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
