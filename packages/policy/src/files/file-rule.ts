/** What is known of one policy of a file besides its text: all that the compiler and the check of names need. */
import type { LintFinding } from "../tables/lint.ts";
import type { CompiledRule } from "../tables/table-rule.ts";

/** A Cedar file of the policy folder. */
export interface PolicyFile {
  /** Path within the folder, for example `team/extra.cedar`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * The file's real place in the folder, if that differs from `name`. Its rules are named as if the file lay at `name`.
   */
  readonly readFrom?: string;
}

/** One rule of a Cedar file, and what it says about paths. */
export interface FileRule extends CompiledRule {
  readonly source: string;
  /** Every path that the rule names. A request's folders are sent to the engine only if a rule names them. */
  readonly paths: readonly string[];
  /** Paths that programs must not see, because file tools are forbidden to read them. */
  readonly hidden: readonly string[];
  /** Paths that programs must not change. */
  readonly kept: readonly string[];
}

/** Stands in place of an entity type if a permit names a program by the fact `real_path`. */
export const REAL_FILE = "real_path";

/** An entity that a policy names. Only this machine knows whether it exists. */
export interface NamedEntity {
  readonly source: string;
  readonly type: string;
  readonly id: string;
  /** How a permit opens a program; null if it does not. */
  readonly opens: ProgramOpening | null;
}

/** `unsafe`: marked as intended. `limited`: first argument and options are listed. `any`: neither. */
export type ProgramOpening = "unsafe" | "limited" | "any";

/** A path to which a permit lets calls write. */
export interface WrittenPath {
  readonly source: string;
  readonly path: string;
}

export interface PolicyReading {
  readonly rules: readonly FileRule[];
  readonly written: readonly WrittenPath[];
  readonly names: readonly NamedEntity[];
  /** Mistakes for which the files are rejected. */
  readonly findings: readonly LintFinding[];
  /** What an operator should know, and may have intended. */
  readonly warnings: readonly LintFinding[];
}
