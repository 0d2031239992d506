/**
 * Writes the types and validators of packages/protocol from schemas/, and the validators of packages/capabilities from
 * its manifests, so that these remain the single source. With `--check` it compares instead of writing, names each
 * stale file and exits with 1.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020, type AnySchemaObject } from "ajv/dist/2020.js";
import standaloneCode from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { compile } from "json-schema-to-typescript";
import { CAPABILITY_VALIDATOR_DECLARATIONS, capabilityValidators } from "./capability-validators.ts";
import { withNullFirst } from "./nullable.ts";
import { recordValidator, splitRecordSchema } from "./record-bodies.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SCHEMAS = join(ROOT, "schemas");
const OF_PROTOCOL = "packages/protocol/src/generated";
const OF_CAPABILITIES = "packages/capabilities/src/generated";
const banner = (source: string): string => `// Generated from ${source} by \`npm run generate\`. Do not edit.\n`;
const BANNER = banner("schemas/");
const MANIFESTS_BANNER = banner("the built-in manifests");

const stems = readdirSync(SCHEMAS)
  .filter((name) => name.endsWith(".schema.json"))
  .map((name) => name.slice(0, -".schema.json".length))
  .sort();
const schemas = stems.map(
  (stem) => JSON.parse(readFileSync(join(SCHEMAS, `${stem}.schema.json`), "utf8")) as AnySchemaObject,
);

const outputs = new Map<string, string>([
  [`${OF_PROTOCOL}/types.ts`, BANNER + (await types())],
  [`${OF_PROTOCOL}/schema-digests.ts`, BANNER + schemaDigests()],
  [`${OF_PROTOCOL}/validators.js`, BANNER + (await bundled(validators()))],
  [`${OF_PROTOCOL}/validators.d.ts`, BANNER + validatorDeclarations()],
  [`${OF_CAPABILITIES}/validators.js`, MANIFESTS_BANNER + (await bundled(capabilityValidators()))],
  [`${OF_CAPABILITIES}/validators.d.ts`, MANIFESTS_BANNER + CAPABILITY_VALIDATOR_DECLARATIONS],
]);

const stale = [...outputs].filter(([name, text]) => current(name) !== text);
if (process.argv.includes("--check")) {
  for (const [name] of stale) console.error(`stale: ${name}; run \`npm run generate\``);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [name, text] of stale) writeFileSync(join(ROOT, name), text);
}

/** One document that refers to every schema, so that shared definitions are emitted once. */
async function types(): Promise<string> {
  const properties = Object.fromEntries(stems.map((stem) => [stem, { $ref: `./${stem}.schema.json` }]));
  return await compile(
    { title: "Schemas", type: "object", additionalProperties: false, properties, required: stems },
    "Schemas",
    {
      additionalProperties: false,
      bannerComment: "",
      cwd: `${SCHEMAS}/`,
      format: true,
      $refOptions: { resolve: { http: false, local: localSchemas() } },
      unknownAny: true,
      unreachableDefinitions: true,
    },
  );
}

function schemaDigests(): string {
  const lines = stems.map((stem) => {
    const file = `${stem}.schema.json`;
    const sha256 = createHash("sha256")
      .update(readFileSync(join(SCHEMAS, file)))
      .digest("hex");
    return `  "${file}": "${sha256}",`;
  });
  return ["/** SHA-256 of each schema's file. */", "export const SCHEMA_DIGESTS = {", ...lines, "} as const;\n"].join(
    "\n",
  );
}

/** Resolves the schemas' canonical addresses to the local files, so that nothing is fetched. */
function localSchemas(): { order: number; canRead: RegExp; read: (file: { url: string }) => string } {
  return {
    order: 1,
    canRead: /\.schema\.json$/,
    read: ({ url }) => readFileSync(join(SCHEMAS, url.slice(url.lastIndexOf("/") + 1)), "utf8"),
  };
}

function validators(): string {
  const { compiled, bodies } = splitRecordSchema(schemas.map(withNullFirst));
  const ajv = new Ajv2020({
    schemas: compiled,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    messages: true,
    code: { source: true, esm: true, optimize: true },
  });
  const exported = Object.fromEntries(stems.map((stem, index) => [validatorName(stem), String(schemas[index]?.$id)]));
  const generate = standaloneCode as unknown as (ajv: Ajv2020, refs: Record<string, string>) => string;
  return recordValidator(bodies, (names) => generate(ajv, { ...exported, ...names }));
}

/** One file without imports, small enough to be read at each start. */
async function bundled(contents: string): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: ROOT, loader: "js" },
    bundle: true,
    format: "esm",
    platform: "node",
    minify: true,
    write: false,
    legalComments: "none",
  });
  return result.outputFiles[0]?.text ?? "";
}

function validatorDeclarations(): string {
  const lines = [
    "export interface ValidationError {",
    "  readonly instancePath: string;",
    "  readonly keyword: string;",
    "  readonly message?: string;",
    "  readonly params: Readonly<Record<string, unknown>>;",
    "}",
    "export interface Validator {",
    "  (value: unknown): boolean;",
    "  readonly errors?: readonly ValidationError[] | null;",
    "}",
    ...stems.map((stem) => `export declare const ${validatorName(stem)}: Validator;`),
    "/** Whether a record of this type may have this body; all that its schema says besides depends on no body. */",
    "export declare function isRecordBody(type: string, body: unknown): boolean;",
  ];
  return `${lines.join("\n")}\n`;
}

function validatorName(stem: string): string {
  return `validate${stem.charAt(0).toUpperCase()}${stem.slice(1)}`;
}

function current(name: string): string | undefined {
  try {
    return readFileSync(join(ROOT, name), "utf8");
  } catch {
    return undefined;
  }
}
