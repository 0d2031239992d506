/**
 * What an embedder passes in, as it is at that moment. INVARIANT: I3: what was checked, compiled and recorded is what
 * stays in force, whatever the embedder does with its own objects afterwards.
 */
import type { Capability } from "@femtoclaw/capabilities";
import { errorText, FemtoError } from "@femtoclaw/protocol";
import type { PolicySource, RuntimeOptions } from "./options.ts";

export function takenOptions(options: RuntimeOptions): RuntimeOptions {
  const { capabilities, witnesses, permit, installation, deploymentChanges } = options;
  return {
    ...options,
    ...takenSource(options),
    ...copies({ permit, installation, deploymentChanges }),
    ...(witnesses === undefined ? {} : { witnesses: [...witnesses] }),
    ...(capabilities === undefined ? {} : { capabilities: Array.from(capabilities, takenCapability) }),
  };
}

export function takenSource({ configuration, policyFiles, sources }: PolicySource): PolicySource {
  return { configuration: copyOf("configuration", configuration), ...copies({ policyFiles, sources }) };
}

/** Copies of those that are there. */
function copies<T extends object>(values: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const there = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there.map(([name, value]) => [name, copyOf(name, value)])) as ReturnType<typeof copies<T>>;
}

/** Throws a `TypeError` for what is no plain data. */
function copyOf<T>(name: string, value: T): T {
  try {
    return structuredClone(value);
  } catch (cause) {
    throw new TypeError(`\`${name}\` must be plain data: ${errorText(cause)}`, { cause });
  }
}

/** INVARIANT: I4: what runs under a name is what was registered under it. */
function takenCapability(given: Capability): Capability {
  if (Object(given) !== given) throw invalid("a capability must be an object with a `manifest` and `execute`");
  const { manifest, isolation, trusted, interpreted, keeps, isLaunched, prepare, execute } = given;
  if (Object(manifest) !== manifest) throw invalid("a capability has no `manifest`");
  if (typeof execute !== "function") throw invalid(`capability \`${manifest.name}\` has no function \`execute\``);
  return {
    manifest: copyOf("manifest", manifest),
    isolation,
    ...(trusted === undefined ? {} : { trusted }),
    ...(interpreted === undefined ? {} : { interpreted }),
    ...(keeps === undefined ? {} : { keeps }),
    ...(isLaunched === undefined ? {} : { isLaunched }),
    ...(prepare === undefined ? {} : { prepare: (call) => prepare.call(given, call) }),
    execute: (call) => execute.call(given, call),
  };
}

function invalid(reason: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", reason);
}
