/** How much is measured: enough for figures, or just enough to see that everything works. */
export interface Effort {
  readonly rounds: number;
  /** Fraction of the work of a full round. */
  readonly share: number;
}

export const FULL: Effort = { rounds: 3, share: 1 };
/** Takes a minute for all presets together. A single short round says nothing about speed. */
export const QUICK: Effort = { rounds: 1, share: 0.1 };

/** A number of things, of which a full round has `full`. */
export function scaled(full: number, { share }: Effort): number {
  return Math.max(1, Math.round(full * share));
}
