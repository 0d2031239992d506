/** Turns the bytes of a femtoclaw.toml into a configuration that matches its schema, or reports all of its faults. */
import { type Configuration, FemtoError } from "@femtoclaw/protocol";
import { configurationFaults, isConfiguration, type SourceOf } from "@femtoclaw/runtime/configuration";
import { readToml } from "./read-toml.ts";

export interface ReadConfiguration {
  readonly configuration: Configuration;
  readonly sourceOf: SourceOf;
}

export function readConfiguration(bytes: Uint8Array, name: string): ReadConfiguration {
  const { value, faults, sourceOf } = readToml(bytes, name);
  const unusable = new Set(faults.map(({ pointer }) => pointer));
  const all = [...faults, ...configurationFaults(value).filter(({ pointer }) => !unusable.has(pointer))];
  if (all.length === 0 && isConfiguration(value)) return { configuration: value, sourceOf };
  const lines = all.map(({ pointer, message }) => `${sourceOf(pointer)}: ${message}`);
  throw new FemtoError("FEMTO_CONFIG_INVALID", lines.sort(inFileOrder).join("\n"));
}

/** Sorts `file:9:1` before `file:12:1`. */
function inFileOrder(left: string, right: string): number {
  return left.localeCompare(right, "en", { numeric: true });
}
