/** States, and where they differ, in readable form. */
import { type ActorSnapshot, printable } from "@femtoclaw/protocol";
import type { Divergence, MachineUse, Recomputation, StateDifference } from "@femtoclaw/runtime";
import { factLines } from "./fact-text.ts";
import type { Output } from "./output.ts";
import { table } from "./table.ts";

/** LIMIT: characters of one side of a difference on a terminal; `--json` shows all of it. */
const SIDE_CHARS_MAX = 160;
/** Characters of a digest that are shown; its beginning suffices to recognize it. */
const DIGEST_CHARS = 12;

export function actorLines(actors: Readonly<Record<string, ActorSnapshot>>, output: Output): string[] {
  return Object.entries(actors).flatMap(([name, { version, state }]) => {
    const { value, context, ...own } = state as { value?: string | object; context?: object };
    const states = typeof value === "string" ? { state: value } : value;
    const title = `${output.style("bold", printable(name))}  ${output.style("dim", `machine version ${printable(version)}`)}`;
    return ["", title, ...factLines({ ...states, ...context, ...own }, output.dataColumns)];
  });
}

export function differenceLines(differences: readonly StateDifference[], output: Output): string[] {
  const actors = [...new Set(differences.map(({ actor }) => actor))];
  return actors.flatMap((actor) => {
    const own = differences.filter((difference) => difference.actor === actor);
    return ["", output.style("bold", printable(actor)), ...own.flatMap((each) => changeOf(each, output))];
  });
}

/**
 * Old and new value stand below each other. There they are easy to compare, and a wide value does not widen all rows.
 */
function changeOf({ path, before, after }: StateDifference, output: Output): string[] {
  return [
    `  ${path === "" ? "the whole state" : printable(path)}`,
    `    ${output.style("red", `- ${side(before)}`)}`,
    `    ${output.style("green", `+ ${side(after)}`)}`,
  ];
}

export function recomputationLines(found: Recomputation, output: Output): string[] {
  const { verdict, divergence, obstacle, records, snapshotsEqual, machines, actors } = found;
  const colour = verdict === "recomputed" ? "green" : verdict === "diverges" ? "red" : "yellow";
  return [
    `${output.style(colour, verdict)}: ${records} records folded with the machines that they name; snapshots as recorded: ${snapshotsEqual}`,
    ...(obstacle === null
      ? []
      : [`from record ${obstacle.seq} on nothing is said: ${printable(obstacle.reason, 400)}`]),
    ...(divergence === null ? [] : divergenceLines(divergence, output)),
    "",
    ...table(machines.map((use) => [use.id, machineText(use), output.style("dim", `from record ${use.from} on`)])),
    ...(verdict === "recomputed" ? actorLines(actors, output) : []),
  ];
}

function divergenceLines(divergence: Divergence, output: Output): string[] {
  const { seq, type, actor, machine, reason, recorded, recomputed, differences } = divergence;
  const holder = machine === null ? "no machine" : `${machine.id} ${machineText(machine)}`;
  return [
    `first divergence: record ${seq} (${type}), actor ${printable(actor)}, ${holder}`,
    printable(reason, 400),
    ...(differences.length === 0
      ? table([
          ["recorded", side(recorded)],
          ["recomputed", side(recomputed)],
        ])
      : table([
          ["place", "recorded", "recomputed"].map((name) => output.style("dim", name)),
          ...differences.map(({ actor: where, path, before, after }) => {
            return [printable(`${where}${path}`), side(before), side(after)];
          }),
        ])),
  ];
}

function machineText({ version, sha256 }: Pick<MachineUse, "version" | "sha256">): string {
  return `version ${printable(version)} (${sha256.slice(0, DIGEST_CHARS)}…)`;
}

function side(value: unknown): string {
  return value === undefined ? "nothing" : printable(JSON.stringify(value), SIDE_CHARS_MAX);
}
