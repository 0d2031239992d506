/** What is known of one policy of a file, beside its text: all that the compiler and the names' check need. */
import type { LintFinding } from "../lint.ts";
import type { CompiledRule } from "../table-rule.ts";

/** A Cedar file of the policy folder. */
export interface PolicyFile {
  /** Path in the folder, for example `team/extra.cedar`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where in the folder it lies if that is not its name: its rules are called as they would be there. */
  readonly readFrom?: string;
}

/** One rule of a Cedar file, and what it says about paths. */
export interface FileRule extends CompiledRule {
  readonly source: string;
  /** Every path that it names; a request's folders are sent to the engine only if a rule names them. */
  readonly paths: readonly string[];
  /** What programs must not see, because file tools are forbidden to read it. */
  readonly hidden: readonly string[];
  /** What programs must not change. */
  readonly kept: readonly string[];
}

/** Stands for the type of an entity where a permit names a program by the fact `real_path`. */
export const REAL_FILE = "real_path";

/** An entity that a policy names; whether there is such a thing, only this machine knows. */
export interface NamedEntity {
  readonly source: string;
  readonly type: string;
  readonly id: string;
  /** How a permit opens a program; null where it does not. */
  readonly opens: ProgramOpening | null;
}

/** `unsafe`: said to be meant. `limited`: first argument and options are listed. `any`: neither. */
export type ProgramOpening = "unsafe" | "limited" | "any";

/** A path that a permit lets calls write to. */
export interface WrittenPath {
  readonly source: string;
  readonly path: string;
}

export interface PolicyReading {
  readonly rules: readonly FileRule[];
  readonly written: readonly WrittenPath[];
  readonly names: readonly NamedEntity[];
  /** What keeps the files from being taken. */
  readonly findings: readonly LintFinding[];
  /** What an operator should know, and may have meant. */
  readonly warnings: readonly LintFinding[];
}
