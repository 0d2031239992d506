/** How both sockets let their clients look at what runs: each asks for what is there and waits for more, and is sent nothing that it did not ask for. */
import type { WatchedOutput } from "@femtoclaw/protocol";
import type { WatchRequest } from "@femtoclaw/runtime";
import { invalid, isCount, waitedMs } from "./request-fields.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Of a request whose other fields are read. */
export function watchRequest(execution: string, { from, wait_ms, ...rest }: Fields): [WatchRequest, rest: Fields] {
  if (!isCount(from)) throw invalid("`from` must be a number of bytes");
  return [{ execution, from, waitMs: waitedMs(wait_ms) }, rest];
}

/** What there is of an execution that is over. */
export function noMoreOutput(execution: string, from: number): WatchedOutput {
  return { execution, parts: [], skipped: 0, next: from, state: "ended" };
}
