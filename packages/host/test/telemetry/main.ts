/** `npm run outages -- --executions N`: what a collector that goes away and a host that is killed lose, which is nothing. */
import { inspect, parseArgs } from "node:util";
import { toolNumber } from "@femtoclaw/testing";
import { outages } from "./outages.ts";

const { values } = parseArgs({ options: { executions: { type: "string", default: "20000" } } });
const executions = toolNumber("executions", values.executions);

try {
  const report = await outages({ executions });
  for (const [name, value] of Object.entries(report)) process.stdout.write(`${name.padEnd(16)} ${value}\n`);
} catch (error) {
  process.stdout.write(`${inspect(error)}\n`);
  process.exitCode = 1;
}
