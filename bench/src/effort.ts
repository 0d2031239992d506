/** How much is measured: enough for figures, or just enough to see that all of it works. */
export interface Effort {
  readonly rounds: number;
  /** Of what a round of figures takes. */
  readonly share: number;
}

export const FULL: Effort = { rounds: 3, share: 1 };
/** Takes a minute for all presets together. One short round says nothing about how fast something is. */
export const QUICK: Effort = { rounds: 1, share: 0.1 };

/** So many of something that a round of figures has `full` of. */
export function scaled(full: number, { share }: Effort): number {
  return Math.max(1, Math.round(full * share));
}
