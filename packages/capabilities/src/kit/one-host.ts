/** The only host that the process of one call is connected to: the one that the call was decided on, at its addresses. */
import type { ConnectAnswer, Traffic } from "../capability.ts";
import type { BoundHost } from "../facts/bound-arguments.ts";
import { plainTarget } from "../facts/connection.ts";
import { Refusal } from "../facts/refusal.ts";

/** INVARIANT: a name is not looked up a second time, and no other host is reached, by whatever name. */
export function onlyTo(bound: BoundHost, signal: AbortSignal): (target: string) => Promise<ConnectAnswer> {
  const traffic: Traffic = { connections: 0, refused: 0, bytesOut: 0, bytesIn: 0 };
  const { host, port, addresses } = bound;
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
