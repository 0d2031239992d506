/**
 * One effect, during which a system is killed as a whole at each of its steps, and what its next start reports about
 * it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Effort } from "../../src/effort.ts";
import { noopFolders } from "../../src/noop-folders.ts";
import { type CrashFinding, STEPS, type Step, verdictOf } from "./figures.ts";
import type { Told, ToolCall } from "./system.ts";
import { SystemProcess } from "./system-process.ts";
import type { SystemName } from "./systems.ts";
import type { Trials } from "./trials.ts";

/** Writes a line when it begins and one when it is done. At one step it waits, once, to be killed. */
const EFFECT = `
reach() { if [ "$step" = "$1" ] && [ ! -e killed ]; then : >reached; exec sleep 60; fi; }
cd "$1" && step="$2" || exit 1
reach before-effect
echo begun >>effects
reach in-effect
echo done >>effects
reach before-outcome
`;

export async function measureCrashes(trials: Trials, directory: string, effort: Effort): Promise<CrashFinding[]> {
  const findings: CrashFinding[] = [];
  for (let round = 1; round <= effort.rounds; round += 1) {
    const own = join(directory, String(round));
    mkdirSync(own, { mode: 0o711 });
    await trials.each(round % 2 === 1, `round ${round} of ${effort.rounds}`, async (name) => {
      findings.push(...(await crashesOf(name, join(own, name))));
    });
  }
  return findings;
}

/** Successive lives of a system over one folder: each is asked about the call in which the previous one was killed. */
async function crashesOf(system: SystemName, directory: string): Promise<CrashFinding[]> {
  mkdirSync(directory, { mode: 0o711 });
  const [out = directory] = noopFolders(directory).write;
  const place = { directory, purpose: "crash" } as const;
  const told = new Map<Step, Told>();
  let life = await SystemProcess.start(system, place);
  try {
    for (const step of STEPS) {
      const folder = join(out, step);
      mkdirSync(folder);
      await life.die({ step, id: step, call: effectIn(folder, step) }, () => existsSync(join(folder, "reached")));
      writeFileSync(join(folder, "killed"), "");
      life = await SystemProcess.start(system, place);
      told.set(step, await life.tell(step));
    }
  } finally {
    await life[Symbol.asyncDispose]();
  }
  // Counted last, so that repetitions in a later life are seen.
  return [...told].map(([step, last]) => {
    const lines = linesOf(join(out, step, "effects"));
    return { system, step, verdict: verdictOf({ told: last, ...lines }) };
  });
}

function effectIn(folder: string, step: Step): ToolCall {
  return { tool: "process_exec", args: { bin: "sh", argv: ["-c", EFFECT, "sh", folder, step] } };
}

function linesOf(path: string): { readonly begun: number; readonly done: number } {
  const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  const count = (word: string): number => lines.filter((line) => line === word).length;
  return { begun: count("begun"), done: count("done") };
}
