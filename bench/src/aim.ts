/** The value that a figure needs for users not to notice FemtoClaw, and whether it has that value. */
export type Aim<Figure extends string> = { readonly figure: Figure } & (
  | { readonly atMost: number }
  | { readonly atLeast: number }
);

/** An aim as it appears in a row. */
export interface JudgedAim {
  readonly aim: string;
  readonly holds: boolean;
}

/** A figure that is missing, because the system does not report it, misses its aim. */
export function judged<Figure extends string>(
  aims: readonly Aim<Figure>[],
  figures: Readonly<Partial<Record<Figure, number | null>>>,
): JudgedAim[] {
  return aims.map((aim) => {
    const value = figures[aim.figure] ?? Number.NaN;
    return "atMost" in aim
      ? { aim: `${aim.figure} <= ${short(aim.atMost)}`, holds: value <= aim.atMost }
      : { aim: `${aim.figure} >= ${short(aim.atLeast)}`, holds: value >= aim.atLeast };
  });
}

function short(limit: number): number {
  return Number(limit.toPrecision(3));
}
