/** Numbers on the command lines of the tools that look for faults, such as `npm run crash -- --rounds 50`. */

/** LIMIT: exit code for words that cannot be understood, as the command has it. */
const USAGE = 64;

export interface NumberForm {
  /** The smallest number that is taken, 1 by default. */
  readonly least?: number;
  /** Whether it may have decimals. */
  readonly decimals?: boolean;
}

/**
 * The number that an option was given. INVARIANT: a tool that cannot tell how much to look at ends as a failure, because
 * it would look at nothing and find no fault.
 */
export function toolNumber(option: string, text: string, { least = 1, decimals = false }: NumberForm = {}): number {
  const value = Number(text);
  const isRight = decimals ? Number.isFinite(value) && value > 0 : Number.isSafeInteger(value) && value >= least;
  if (text.trim() !== "" && isRight) return value;
  process.stderr.write(`--${option} must be a ${decimals ? "number above 0" : `whole number of at least ${least}`}\n`);
  process.exit(USAGE);
}
