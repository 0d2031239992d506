/** Compiles the schemas of registered capabilities, once, when they are registered. */
import type { Capability } from "@femtoclaw/capabilities";
import { type SecretFinder, secretFinder } from "@femtoclaw/journal";
import {
  type CapabilityManifest,
  describeViolations,
  errorText,
  FemtoError,
  type ValidationError,
  type Validator,
  validateManifest,
} from "@femtoclaw/protocol";
import { Ajv2020 } from "ajv/dist/2020.js";

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

/** Checks schemas against the schema of schemas. Compiling that one takes 15 ms, so all runtimes of a process share it. */
const SCHEMAS = new Ajv2020();

/** Throws FEMTO_CONFIG_INVALID when a manifest or one of its schemas is not valid. */
export function compileSchemas(capabilities: readonly Capability[]): Map<string, CompiledSchemas> {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    useDefaults: false,
    validateSchema: false,
  });
  ajv.addVocabulary(["x-secret"]);
  const compiled = new Map<string, CompiledSchemas>();
  for (const { manifest } of capabilities) {
    checkManifest(manifest);
    if (compiled.has(manifest.name)) throw invalid(manifest.name, "the name is registered twice");
    compiled.set(manifest.name, {
      validators: { input: compile(ajv, manifest, "input"), output: compile(ajv, manifest, "output") },
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

function compile(ajv: Ajv2020, manifest: CapabilityManifest, side: "input" | "output"): Validator {
  try {
    if (SCHEMAS.validateSchema(manifest[side]) !== true) throw new Error(SCHEMAS.errorsText());
    const validate = ajv.compile(manifest[side]);
    const wrapped = (value: unknown): boolean => validate(value) === true;
    return Object.defineProperty(wrapped, "errors", {
      get: () => (validate.errors ?? []) as readonly ValidationError[],
    }) as Validator;
  } catch (cause) {
    throw invalid(manifest.name, `its ${side} schema does not compile: ${String(cause)}`);
  }
}

function finder(manifest: CapabilityManifest, side: "input" | "output"): SecretFinder {
  try {
    return secretFinder(manifest[side]);
  } catch (cause) {
    throw invalid(manifest.name, `its ${side} schema: ${errorText(cause)}`);
  }
}

function invalid(name: string, reason: string): FemtoError {
  return new FemtoError("FEMTO_CONFIG_INVALID", `capability \`${name}\`: ${reason}`);
}
