/** `npm run endurance -- --executions N`: what a host holds after so many calls, and after a quarter of them. */
import { inspect, parseArgs } from "node:util";
import { endurance, type Mark } from "./endurance.ts";

const { values } = parseArgs({ options: { executions: { type: "string", default: "100000" } } });
const COLUMNS = ["at", "executions", "rssMb", "heapMb", "descriptors", "handles", "children", "zombies"] as const;

const row = (cells: readonly unknown[]): string => `${cells.map((cell) => String(cell).padStart(12)).join("")}\n`;

process.stdout.write(row(["at", "executions", "RSS MB", "heap MB", "descriptors", "handles", "children", "zombies"]));
try {
  await endurance({
    executions: Number(values.executions),
    onMark: (mark: Mark) => void process.stdout.write(row(COLUMNS.map((name) => mark[name]))),
  });
  process.stdout.write("nothing of it stays\n");
} catch (error) {
  process.stdout.write(`${inspect(error)}\n`);
  process.exitCode = 1;
}
