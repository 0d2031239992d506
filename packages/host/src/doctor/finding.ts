/** What `doctor` finds: one check with its verdict, and what to do about what does not hold. */
import { errorText, FemtoError } from "@femtoclaw/protocol";

export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warn" | "fail";
  /** The first line stands beside the check, further ones below it. */
  readonly detail: string;
  readonly fix?: string;
}

/** What a check comes to, whatever it is called. */
export type Found = Omit<Finding, "check">;

export type Check = () => Promise<Found> | Found;

/** A check that throws has failed: by a fault that says what to do, or by one of ours. */
export async function found(check: Check): Promise<Found> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof FemtoError) return failed(error);
    return { verdict: "fail", detail: errorText(error), fix: "This is a fault of FemtoClaw; please report it." };
  }
}

export const ok = (detail: string): Found => ({ verdict: "ok", detail });

export function failed({ message, fix }: FemtoError): Found {
  return { verdict: "fail", detail: message, fix };
}
