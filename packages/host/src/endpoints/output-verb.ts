/** How both sockets let their clients look at what runs: each asks for what is there and waits for more, and is sent nothing that it did not ask for. */
import type { WatchedOutput } from "@femtoclaw/protocol";
import type { WatchRequest } from "@femtoclaw/runtime";
import { invalid } from "./request-fields.ts";

/** LIMIT: time that one answer waits for more output. */
const WAIT_MS = 10_000;

type Fields = Readonly<Record<string, unknown>>;

/** Of a request whose other fields are read. */
export function watchRequest(execution: string, { from, wait_ms, ...rest }: Fields): [WatchRequest, rest: Fields] {
  if (!isCount(from)) throw invalid("`from` must be a number of bytes");
  if (!isCount(wait_ms) || wait_ms > WAIT_MS) throw invalid(`\`wait_ms\` must be an integer from 0 to ${WAIT_MS}`);
  return [{ execution, from, waitMs: wait_ms }, rest];
}

/** What there is of an execution that is over. */
export function noMoreOutput(execution: string, from: number): WatchedOutput {
  return { execution, parts: [], skipped: 0, next: from, state: "ended" };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
