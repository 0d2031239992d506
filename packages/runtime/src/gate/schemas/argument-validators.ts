/**
 * Validators for the arguments and results of registered capabilities. They are compiled ahead of time, or once at
 * registration.
 */
import { argumentValidator, type Capability, compiledAhead } from "@femtoclaw/capabilities";
import { type SecretFinder, secretFinder } from "@femtoclaw/journal/live";
import {
  type CapabilityManifest,
  describeViolations,
  errorText,
  FemtoError,
  type Validator,
  validateManifest,
} from "@femtoclaw/protocol";
import { schemaCompiler } from "./schema-compiler.ts";

export interface CapabilityValidators {
  readonly input: Validator;
  readonly output: Validator;
}

/** Finds the secrets that a capability's schemas mark with `x-secret`. */
export interface CapabilitySecrets {
  readonly input: SecretFinder;
  readonly output: SecretFinder;
}

export interface CompiledSchemas {
  readonly validators: CapabilityValidators;
  readonly secrets: CapabilitySecrets;
}

export const NO_SECRETS: CapabilitySecrets = { input: () => [], output: () => [] };

type Side = "input" | "output";

/** Throws FEMTO_CONFIG_INVALID if a manifest or one of its schemas is invalid. */
export function compileSchemas(capabilities: readonly Capability[]): Map<string, CompiledSchemas> {
  const compile = schemaCompiler();
  const validator = ({ manifest, interpreted }: Capability, side: Side): Validator => {
    if (interpreted === true) return argumentValidator(manifest[side], "fails");
    try {
      return compiledAhead(manifest[side]) ?? compile(manifest[side]);
    } catch (cause) {
      throw invalid(manifest.name, `its ${side} schema does not compile: ${String(cause)}`);
    }
  };
  const compiled = new Map<string, CompiledSchemas>();
  for (const capability of capabilities) {
    const { manifest } = capability;
    checkManifest(manifest);
    if (compiled.has(manifest.name)) throw invalid(manifest.name, "the name is registered twice");
    compiled.set(manifest.name, {
      validators: { input: validator(capability, "input"), output: validator(capability, "output") },
      secrets: { input: finder(manifest, "input"), output: finder(manifest, "output") },
    });
  }
  return compiled;
}

function checkManifest(manifest: CapabilityManifest): void {
  if (!validateManifest(manifest)) throw invalid(manifest.name, describeViolations(validateManifest.errors ?? []));
  const { type, additionalProperties } = manifest.input;
  if (type !== "object" || additionalProperties !== false) {
    throw invalid(manifest.name, "its input schema must be an object schema with `additionalProperties: false`");
  }
}

function finder(manifest: CapabilityManifest, side: Side): SecretFinder {
  try {
    return secretFinder(manifest[side]);
  } catch (cause) {
    throw invalid(manifest.name, `its ${side} schema: ${errorText(cause)}`);
  }
}

function invalid(name: string, reason: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", `capability \`${name}\`: ${reason}`);
}
