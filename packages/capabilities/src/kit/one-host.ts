/** The only host that the process of one call is connected to: the one that the call was decided on, at its addresses. */
import type { CapabilityCall, ConnectAnswer } from "../capability.ts";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { plainTarget } from "../facts/connection.ts";
import { Refusal } from "../facts/refusal.ts";

/** INVARIANT: a name is not looked up a second time, and no other host is reached, by whatever name. */
export function onlyTo(
  bound: BoundHost,
  { signal, trafficAt }: Pick<CapabilityCall, "signal" | "trafficAt">,
): (target: string) => Promise<ConnectAnswer> {
  const { host, port, addresses } = bound;
  const traffic = trafficAt(`${host}:${port}`);
  return async (target) => {
    try {
      const wanted = plainTarget(target);
      if (wanted.host === host && wanted.port === port) {
        return { ok: true, bound: { host, port, addresses }, traffic, revoked: signal };
      }
      return { ok: false, reason: `the call was decided on for ${host}:${port}`, rules: [] };
    } catch (error) {
      if (error instanceof Refusal) return { ok: false, reason: error.message, rules: [] };
      throw error;
    }
  };
}
