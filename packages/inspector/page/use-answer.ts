/** What is asked of the source when it is first shown, and asked again when it is about something else. */
import { useEffect, useState } from "preact/hooks";
import type { Inspection } from "../src/inspection.ts";
import { inspection } from "./store.ts";

/** Null until there is an answer, and where nothing is asked; a text says why there is none. */
export function useAnswer<Answer extends object>(
  seq: number | null,
  ask: (from: Inspection, seq: number) => Promise<Answer | null>,
): Answer | string | null {
  const [answer, setAnswer] = useState<Answer | string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const hear = (said: Answer | string | null): void => {
      if (isCurrent) setAnswer(said);
    };
    hear(null);
    if (seq !== null) ask(inspection(), seq).then(hear, (error: unknown) => hear(String(error)));
    return () => {
      isCurrent = false;
    };
  }, [seq]);
  return answer;
}
