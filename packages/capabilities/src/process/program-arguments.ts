/** How a call names a program, and how the program that was decided on becomes a command. */
import { type DeclaredProgram, FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import type { SandboxCommand, SandboxProgram } from "@femtoclaw/sandbox";
import type { BoundArguments, BoundProgram } from "../facts/bound-arguments.ts";
import { isUnchanged } from "../facts/program.ts";

/** Members of an input schema. */
export const PROGRAM_PROPERTIES = {
  bin: {
    type: "string",
    minLength: 1,
    maxLength: LIMITS.pathBytes,
    description: "Name of the program, or its path.",
  },
  argv: {
    type: "array",
    maxItems: LIMITS.argvItems,
    // LIMIT: characters of one argument; the kernel takes at most 128 KiB.
    items: { type: "string", maxLength: 131_071 },
    description: "Its arguments, without the program's name.",
  },
  cwd: {
    type: "string",
    minLength: 1,
    maxLength: LIMITS.pathBytes,
    description: "Folder to run in, relative to the workspace. Default: the workspace.",
  },
  env: {
    type: "object",
    maxProperties: 64,
    propertyNames: { pattern: "^[A-Za-z_][A-Za-z0-9_]{0,127}$" },
    additionalProperties: { type: "string", maxLength: 32_768 },
    description: "Variables to set, where the operator permits their names.",
    "x-secret": "environment",
  },
} as const;

export const PROGRAM_ARGUMENT: DeclaredProgram = {
  pointer: "/bin",
  kind: "program",
  argv: "/argv",
  cwd: "/cwd",
  env: "/env",
};

/** A pipeline may take the place of the single program. */
export const PIPED_PROGRAM_ARGUMENT: DeclaredProgram = { ...PROGRAM_ARGUMENT, stages: "/pipeline" };

export function decidedCommand({ programs }: BoundArguments): SandboxCommand {
  const [first, ...others] = programs;
  const { cwd, environment } = first;
  return { ...unchanged(first), cwd, environment, ...(others.length === 0 ? {} : { into: others.map(unchanged) }) };
}

/** INVARIANT: what is started is what was decided on; a changed file needs a new decision. */
function unchanged(bound: BoundProgram): SandboxProgram {
  const { path, realPath, args } = bound;
  if (!isUnchanged(bound)) {
    throw new FemtoError("FEMTO_FILE_CHANGED", `the program ${printable(path)} changed after the decision`);
  }
  return { program: path, realPath, args };
}
