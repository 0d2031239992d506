/** What `doctor` finds: one check with its verdict, and how to fix what fails. */
import { errorText, FemtoError } from "@femtoclaw/protocol";

export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warn" | "fail";
  /** The first line is shown beside the check, further lines below it. */
  readonly detail: string;
  readonly fix?: string;
}

/** The result of a check, without its name. */
export type Found = Omit<Finding, "check">;

export type Check = () => Promise<Found> | Found;

/**
 * Runs a check. A check that throws has failed, either with an error that says what to do, or because of a bug of ours.
 */
export async function found(check: Check): Promise<Found> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof FemtoError) return failed(error);
    return { verdict: "fail", detail: errorText(error), fix: "This is a fault of FemtoClaw. Please report it." };
  }
}

export const ok = (detail: string): Found => ({ verdict: "ok", detail });

export function failed({ message, fix }: FemtoError): Found {
  return { verdict: "fail", detail: message, fix };
}
