/** Children of this process under Landlock, alone or in namespaces as its first word says. */

import type { SandboxRun } from "../../src/children/run.ts";
import { type SandboxResult, type SandboxView, viewOf } from "../../src/index.ts";
import type { Rung } from "../../src/probing/rung.ts";
import { type Playground, run } from "../playground.ts";

export const BY = process.argv[2] as Rung["name"];

export const confined = ({ authority }: Playground): SandboxView => viewOf(authority, undefined, undefined, null, BY);

export function child(
  place: Playground,
  words: readonly string[],
  more: Partial<SandboxRun> = {},
): Promise<SandboxResult> {
  return run(place, words, { view: confined(place), ...more });
}

/** All of a result that a test is about. */
export const brief = ({
  exitCode,
  signal,
  timedOut,
  cancelled,
  truncated,
  exceeded,
  stdout,
}: SandboxResult): object => ({
  exitCode,
  signal,
  timedOut,
  cancelled,
  truncated,
  exceeded,
  said: stdout.toString().slice(0, 500),
});

export const refusalOf = async (start: () => unknown): Promise<string> => {
  try {
    await start();
    return "it was started";
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
};
