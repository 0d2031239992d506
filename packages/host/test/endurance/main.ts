/** `npm run endurance -- [--executions N | --minutes N]`: what a host holds and how fast it answers, at each quarter. */
import { inspect, parseArgs } from "node:util";
import { toolNumber } from "@femtoclaw/testing";
import { endurance, type Mark } from "./endurance.ts";

const { executions = "100000", minutes } = parseArgs({
  options: { executions: { type: "string" }, minutes: { type: "string" } },
}).values;
const duration =
  minutes === undefined
    ? { executions: toolNumber("executions", executions) }
    : { minutes: toolNumber("minutes", minutes, { decimals: true }) };
const COLUMNS = {
  at: "at",
  executions: "executions",
  p50Ms: "p50 ms",
  p99Ms: "p99 ms",
  rssMb: "RSS MB",
  heapMb: "heap MB",
  descriptors: "descriptors",
  handles: "handles",
  children: "children",
  zombies: "zombies",
} as const;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

const row = (cells: readonly unknown[]): string => `${cells.map((cell) => String(cell).padStart(12)).join("")}\n`;

process.stdout.write(row(Object.values(COLUMNS)));
try {
  await endurance({
    duration,
    onMark: (mark: Mark) => void process.stdout.write(row(NAMES.map((name) => mark[name]))),
  });
  process.stdout.write("nothing of it stays\n");
} catch (error) {
  process.stdout.write(`${inspect(error)}\n`);
  process.exitCode = 1;
}
