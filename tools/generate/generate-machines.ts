/**
 * Freezes each state machine under its version and writes its identity: the digest of its definition with guards and
 * actions, without types and comments. A machine that has changed needs a new version, so that every record names for
 * ever the machine that folds it; an index leads there. With `--check` it compares instead of writing.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const MACHINES = fileURLToPath(new URL("../../machines", import.meta.url));
const NAMES = ["lifecycle", "memory", "registry", "policy", "observability", "execution"] as const;
const BANNER = "// Generated from the machines by `npm run generate`. Do not edit.\n";
const FROZEN = join(MACHINES, "frozen");

const check = process.argv.includes("--check");
const faults: string[] = [];
const identities: string[] = [];
for (const name of NAMES) {
  const { version, code } = await frozen(name);
  freeze(`${name}@${version}.js`, code);
  const sha256 = createHash("sha256").update(code).digest("hex");
  identities.push(`  ${name}: { id: "${name}", version: "${version}", sha256: "${sha256}" },\n`);
}
const text = `${BANNER}import type { MachineIdentity } from "@femtoclaw/protocol/types";

/** Version and digest of each machine, as the records of this FemtoClaw name them. */
export const MACHINE_IDENTITIES = {
${identities.join("")}} as const satisfies Readonly<Record<MachineIdentity["id"], MachineIdentity>>;
`;
put("src/generated/identities.ts", text);
const frozenMachines = readdirSync(FROZEN)
  .sort()
  .flatMap((file) => {
    const [, id, version] = /^([a-z]+)@([0-9]+)\.js$/.exec(file) ?? [];
    return id === undefined || version === undefined ? [] : [{ id, version, file }];
  });
for (const { id, version } of frozenMachines) {
  put(
    `frozen/${id}@${version}.d.ts`,
    `${BANNER}export declare const ${id}Machine: import("xstate").AnyStateMachine;\n`,
  );
}
put("frozen/index.js", frozenIndex());
put(
  "frozen/index.d.ts",
  `${BANNER}import type { MachineIdentity } from "@femtoclaw/protocol/types";
import type { AnyStateMachine } from "xstate";

export interface FrozenMachine extends MachineIdentity {
  /** URL of the file whose digest identifies it. */
  readonly url: string;
  load(): Promise<AnyStateMachine>;
}

export declare const FROZEN_MACHINES: readonly FrozenMachine[];
`,
);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length === 0 ? 0 : 1;

async function frozen(name: string): Promise<{ readonly version: string; readonly code: string }> {
  const bundled = await build({
    entryPoints: [join(MACHINES, `src/${name}.ts`)],
    bundle: true,
    format: "esm",
    platform: "neutral",
    external: ["xstate", "@femtoclaw/protocol"],
    legalComments: "none",
    write: false,
  });
  // The same definition may behave differently under another version of the engine.
  const { dependencies } = JSON.parse(readFileSync(join(MACHINES, "package.json"), "utf8"));
  const source = (bundled.outputFiles[0]?.text ?? "").replaceAll(/^\/\/ .*\n/gm, "");
  const code = `// ${name} for xstate ${dependencies.xstate}\n${source}`;
  const version = new RegExp(`\\b${name.toUpperCase()}_VERSION = "([0-9]+)"`).exec(code)?.[1];
  if (version === undefined) throw new Error(`the machine ${name} names no version`);
  return { version, code };
}

/** A frozen machine is written once and never changed, because records that name it may exist anywhere. */
function freeze(file: string, code: string): void {
  const path = join(MACHINES, "frozen", file);
  const found = existsSync(path) ? readFileSync(path, "utf8") : null;
  if (found === code) return;
  if (found !== null) faults.push(`machines/frozen/${file} differs from the machine: raise the machine's version`);
  else if (check) faults.push(`missing: machines/frozen/${file}; run \`npm run generate\``);
  else writeFileSync(path, code);
}

/** Each import is a literal, so that a bundler finds all of them. */
function frozenIndex(): string {
  const entries = frozenMachines.map(({ id, version, file }) => {
    const sha256 = createHash("sha256")
      .update(readFileSync(join(FROZEN, file)))
      .digest("hex");
    return `  {
    id: "${id}",
    version: "${version}",
    sha256: "${sha256}",
    url: new URL("./${file}", import.meta.url).href,
    load: async () => (await import("./${file}")).${id}Machine,
  },
`;
  });
  return `${BANNER}
/** Every version of every machine that a record may name. */
export const FROZEN_MACHINES = [
${entries.join("")}];
`;
}

/** Generated text, which may change. */
function put(file: string, text: string): void {
  const path = join(MACHINES, file);
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  if (check) faults.push(`stale: machines/${file}; run \`npm run generate\``);
  else writeFileSync(path, text);
}
