/** One witness as a table row for people. */
import { printable } from "@femtoclaw/protocol";
import type { WitnessStatus } from "@femtoclaw/runtime";

export function witnessRow({ name, kind, required, witnessed_size, error }: WitnessStatus): string[] {
  const trouble = error === null ? "" : `; ${printable(error, 1_000)}`;
  return [name, required ? `${kind}, required` : kind, `witnessed ${witnessed_size} records${trouble}`];
}
