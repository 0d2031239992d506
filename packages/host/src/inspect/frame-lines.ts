/**
 * The inspector's frames as lines, for programs: first the state from which they begin, then what each record changes.
 */
import { once } from "node:events";
import type { Writable } from "node:stream";
import { CHARTS, type Frame, FrameProjection, type Inspection, InspectionFault } from "@femtoclaw/inspector";
import { FemtoError, type TypedRecord } from "@femtoclaw/protocol";

/**
 * Writes until the records end; for a running host, until `ended`. If the reader is slow, no further records are
 * fetched from the host, so nothing accumulates here.
 */
export async function writeFrames(
  inspection: Inspection,
  out: Writable,
  { from = 0, ended }: { readonly from?: number; readonly ended: AbortSignal },
): Promise<void> {
  const { mode, log, summary } = await inspection.begin();
  const projection = new FrameProjection(CHARTS, summary);
  const say = async (value: object): Promise<void> => {
    if (!out.write(`${JSON.stringify(value)}\n`)) await once(out, "drain", { signal: ended });
  };
  let isAnnounced = false;
  const announce = async (): Promise<void> => {
    if (isAnnounced || projection.size < from) return;
    isAnnounced = true;
    await say({ type: "summary", log, ...projection.summary() });
  };
  await announce();
  while (!ended.aborted) {
    const { size, records } = await inspection.records(projection.size);
    for (const record of records) {
      const frames = followed(projection, record);
      if (isAnnounced) for (const frame of frames) await say(frame);
      await announce();
    }
    if (mode !== "live" && projection.size >= size) return;
  }
}

function followed(projection: FrameProjection, record: TypedRecord): readonly Frame[] {
  try {
    return projection.apply(record);
  } catch (error) {
    if (error instanceof InspectionFault)
      throw new FemtoError("FEMTO_JOURNAL_CORRUPT", error.message, { cause: error });
    throw error;
  }
}
