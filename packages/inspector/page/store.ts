/** The state of the page: the history, the moment that is shown, and the current view. */
import { batch, computed, effect, signal } from "@preact/signals-core";
import { FrameProjection } from "../src/frame-projection.ts";
import { type Execution, type ExecutionStep, History, type Kind, stepAt } from "../src/history.ts";
import type { Beginning, Inspection, Question } from "../src/inspection.ts";
import { InspectionFault } from "../src/inspection-fault.ts";
import { CHARTS } from "./charts.ts";
import { NoSession, openSource } from "./source.ts";

/** LIMIT: records that the page holds; beyond that, the older half is dropped. */
const HELD_RECORDS = 65_536;
/** Milliseconds for which records are applied before the page is rendered again. */
const SLICE_MS = 12;
const RETRY_MS = 1_000;
const LOOK_MS = 1_500;

export type Connection = "opening" | "following" | "complete" | "lost" | NoSession["why"];

export const connection = signal<Connection>("opening");
/** Said while `connection` is "opening", because what was not found may still come. */
export const STILL_READING = "Reading the log…";
export const fault = signal<string | null>(null);
export const beginning = signal<Beginning | null>(null);
export const held = signal(new History(CHARTS, null));
/** Counts changes of the history, so that signals computed from it are computed again. */
export const version = signal(0);
/** The record that is shown; null for the newest, whichever that is. */
export const cursor = signal<number | null>(null);
export const status = signal<Readonly<Record<string, unknown>> | null>(null);
export const questions = signal<readonly Question[]>([]);
export const route = signal<readonly string[]>(routeOf());
export const isPlaying = signal(false);

/** An execution, and where it stands at the moment that is shown. */
export interface Row {
  readonly execution: Execution;
  readonly step: ExecutionStep;
}

let source: Inspection | null = null;

const newest = computed(() => version.value >= 0 && held.value.size - 1);
/** The number of the record that is shown. */
export const at = computed(() => {
  const last = Number(newest.value);
  return cursor.value === null ? last : Math.min(Math.max(cursor.value, held.value.start - 1), last);
});
export const counts = computed<Readonly<Record<Kind, number>>>(() => {
  version.value;
  return held.value.countsAt(at.value);
});
/** Executions that run or wait at the moment that is shown, the oldest first. */
export const openExecutions = computed(() => {
  version.value;
  return executionsLike(({ kind }) => kind === "running" || kind === "waiting").reverse();
});
/** Whether what is shown is the present: neither a past moment, nor what was read before the host stopped answering. */
export const isLive = computed(() => connection.value === "following" && cursor.value === null);

/** Executions of the moment that is shown, the newest first. */
export function executionsLike(belongs: (step: ExecutionStep) => boolean, most = Number.POSITIVE_INFINITY): Row[] {
  const found: Row[] = [];
  for (let index = held.value.begunBy(at.value) - 1; index >= 0 && found.length < most; index -= 1) {
    const execution = held.value.executions[index];
    const step = stepAt(execution, at.value);
    if (execution !== undefined && step !== undefined && belongs(step)) found.push({ execution, step });
  }
  return found;
}

export function inspection(): Inspection {
  if (source === null) throw new Error("the page has no source yet");
  return source;
}

export async function start(): Promise<void> {
  addEventListener("hashchange", () => {
    route.value = routeOf();
    // What was chosen is often gone with its view. The next Tab belongs to the new one.
    document.querySelector("main")?.focus();
  });
  try {
    source = await openSource();
    const begun = await source.begin();
    batch(() => {
      beginning.value = begun;
      held.value = new History(CHARTS, begun.summary);
      route.value = routeOf();
    });
    if (begun.mode === "live") void look(source);
    await follow(source, begun);
  } catch (error) {
    failed(error);
  }
}

async function follow(from: Inspection, { mode }: Beginning): Promise<void> {
  while (fault.value === null && !isOver()) {
    try {
      const page = await from.records(held.value.size);
      await takeUp(page.records);
      const isWhole = held.value.size >= page.size;
      if (isWhole) connection.value = mode === "live" ? "following" : "complete";
      if (isWhole && mode !== "live") return;
    } catch (error) {
      failed(error);
      await pause(RETRY_MS);
    }
  }
}

async function takeUp(records: Awaited<ReturnType<Inspection["records"]>>["records"]): Promise<void> {
  let began = performance.now();
  for (const record of records) {
    held.value.apply(record);
    if (performance.now() - began < SLICE_MS) continue;
    version.value += 1;
    await pause(0);
    began = performance.now();
  }
  if (held.value.records.length > HELD_RECORDS) letGo();
  if (records.length > 0) version.value += 1;
}

/** Drops the older half of the records, as if the page had been opened later. */
function letGo(): void {
  const { records } = held.value;
  const half = Math.floor(records.length / 2);
  const before = new FrameProjection(CHARTS, beginning.value?.summary ?? null);
  for (const record of records.slice(0, half)) before.apply(record);
  const summary = before.summary();
  const next = new History(CHARTS, summary);
  for (const record of records.slice(half)) next.apply(record);
  batch(() => {
    if (beginning.value !== null) beginning.value = { ...beginning.value, summary };
    held.value = next;
  });
}

/** Polls the host's status and its questions. */
async function look(from: Inspection): Promise<void> {
  while (!isOver()) {
    try {
      const [told, asked] = [await from.status(), await from.questions()];
      batch(() => {
        status.value = told;
        questions.value = asked;
      });
    } catch (error) {
      failed(error);
    }
    await pause(LOOK_MS);
  }
}

export async function lookAtQuestions(): Promise<void> {
  questions.value = await inspection().questions();
}

function failed(error: unknown): void {
  if (error instanceof NoSession) connection.value = error.why;
  else if (error instanceof InspectionFault) fault.value = error.message;
  else if (!isOver()) connection.value = "lost";
}

/** Whether this tab will get nothing more. */
export function isOver(): boolean {
  return connection.value === "used" || connection.value === "elsewhere";
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function routeOf(): readonly string[] {
  const words = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean);
  try {
    return words.length === 0 ? ["overview"] : words.map(decodeURIComponent);
  } catch {
    // Somebody wrote or cut the address by hand, so that it is no text. It names no view.
    return ["overview"];
  }
}

export const link = (...words: string[]): string => `#/${words.map(encodeURIComponent).join("/")}`;

/** Shows a record; the last one means the newest again. */
export function moveTo(seq: number): void {
  const last = held.value.size - 1;
  cursor.value = seq >= last ? null : Math.max(seq, held.value.start);
}

/** The nearest record before or after this one that is a refusal. */
export function denialFrom(seq: number, direction: 1 | -1): number | null {
  const { records, start: first } = held.value;
  for (let index = seq - first + direction; index >= 0 && index < records.length; index += direction) {
    if (records[index]?.type === "execution.refused") return first + index;
  }
  return null;
}

/** Milliseconds between two records while the history plays. */
const PLAY_MS = 220;

effect(() => {
  if (!isPlaying.value) return;
  const timer = setInterval(() => {
    if (at.value + 1 >= held.value.size) isPlaying.value = false;
    moveTo(at.value + 1);
  }, PLAY_MS);
  return () => clearInterval(timer);
});
