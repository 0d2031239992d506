/** Faults of a log that the inspector cannot follow. */
import type { TypedRecord } from "@femtoclaw/protocol";

/** The recording is damaged or forged, or of a version that this inspector does not know. */
export class InspectionFault extends Error {}

export function impossible({ seq, type }: TypedRecord, actor: string, event: string, state: string): InspectionFault {
  return new InspectionFault(`record ${seq} (${type}): \`${event}\` is not possible for ${actor} in state ${state}`);
}
