/** Those who hear of what the journal has done. What one of them throws harms neither the journal nor the others. */
import { errorText } from "@femtoclaw/protocol";

export type Listener<T> = (news: T) => void;

/** Returns what ends it. */
export function subscribe<T>(listeners: Set<Listener<T>>, listener: Listener<T>): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Tells all of them; `what` names one of them where it throws. */
export function tell<T>(listeners: ReadonlySet<Listener<T>>, what: string, news: T): void {
  for (const listener of listeners) guard(what, () => listener(news));
}

/** Calls what is not ours, and warns where it throws. */
export function guard(what: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    process.emitWarning(`${what} failed: ${errorText(error)}`, { code: "FEMTO_INTERNAL" });
  }
}
