/** `capabilities list|enable|disable`: the registry of the running host. */
import { EXIT } from "@femtoclaw/protocol";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

export async function listCapabilities(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const capabilities = await operator.capabilities();
  if (output.json) {
    output.value(capabilities);
    return EXIT.ok;
  }
  const rows = capabilities.map(({ name, version, enabled, source, locked, isolation }) => [
    name,
    version,
    enabled ? output.style("green", "enabled") : output.style("dim", "disabled"),
    locked ? `${source}, locked` : source,
    isolation,
  ]);
  for (const line of table([["name", "version", "state", "set by", "isolation"], ...rows])) output.line(line);
  return EXIT.ok;
}

export async function switchCapability(context: CommandContext, name: string, enable: boolean): Promise<number> {
  await using operator = await context.operator();
  await operator.switchCapability(name, enable);
  const state = enable ? "enabled" : "disabled";
  if (context.output.json) context.output.value({ name, state });
  else context.output.line(`${name} is ${state}`);
  return EXIT.ok;
}
