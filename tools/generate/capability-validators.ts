/**
 * Compiles the schemas of our own capabilities' arguments and results ahead of time, each under the digest of its text.
 * A start compiles none of them, and the executable could not.
 */
import { createHash } from "node:crypto";
import { Ajv2020 } from "ajv/dist/2020.js";
import standaloneCode from "ajv/dist/standalone/index.js";
import { agentRun } from "../../packages/capabilities/src/agent/agent-run.ts";
import { builtinCapabilities } from "../../packages/capabilities/src/builtin.ts";
import { mcpServerCapability } from "../../packages/capabilities/src/mcp/mcp-tool.ts";
import {
  ARGUMENT_SCHEMA_OPTIONS,
  SECRET_KEYWORD,
} from "../../packages/runtime/src/gate/schemas/argument-schema-options.ts";

/** Every server is registered with the same schemas, whatever its name. */
const MCP_SERVER = mcpServerCapability({ name: "any", isSandboxed: true });

/** An ES module that exports `VALIDATORS`, still with its imports. */
export function capabilityValidators(): string {
  const texts = new Set(
    [...builtinCapabilities, agentRun, MCP_SERVER].flatMap(({ manifest }) => [
      textOf(manifest.input),
      textOf(manifest.output),
    ]),
  );
  const schemas = [...texts].map((text) => {
    const sha256 = createHash("sha256").update(text).digest("hex");
    return { sha256, name: `validate${sha256.slice(0, 16)}`, schema: JSON.parse(text) as object };
  });
  // Checked against the meta-schema here, so that a start need not do it.
  const ajv = new Ajv2020({
    ...ARGUMENT_SCHEMA_OPTIONS,
    validateSchema: true,
    code: { source: true, esm: true, optimize: true },
  });
  ajv.addVocabulary([SECRET_KEYWORD]);
  for (const { sha256, schema } of schemas) ajv.addSchema(schema, sha256);
  const generate = standaloneCode as unknown as (ajv: Ajv2020, refs: Record<string, string>) => string;
  const code = generate(ajv, Object.fromEntries(schemas.map(({ name, sha256 }) => [name, sha256])));
  const table = schemas.map(({ name, sha256 }) => `["${sha256}", ${name}]`).join(", ");
  return `${code.replaceAll("export const ", "const ")}\nexport const VALIDATORS = new Map([${table}]);\n`;
}

export const CAPABILITY_VALIDATOR_DECLARATIONS = `import type { Validator } from "@femtoclaw/protocol";
/** Validators by the SHA-256 of their schema's JSON text. */
export declare const VALIDATORS: ReadonlyMap<string, Validator>;
`;

function textOf(schema: unknown): string {
  return JSON.stringify(schema);
}
