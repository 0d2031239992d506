/** Looks up host names, once for each call that names them. A call may dial only the addresses found then. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import { Refusal } from "./refusal.ts";

/** Returns the addresses of a name; tests use a resolver of their own. */
export type LookUp = (name: string) => Promise<readonly string[]>;

/** LIMIT: concurrent lookups. The system's resolver occupies one of four threads, some of which the journal needs. */
const LOOKUPS = 2;
/** LIMIT: waiting names; a name that many calls ask for waits once. */
const WAITING = 128;
/** LIMIT: milliseconds for one name, its wait included. */
const TIMEOUT_MS = 3_000;

/** Looks up hosts, a limited number at a time. */
export class HostNames {
  readonly #lookUp: LookUp;
  /** Lookups under way, shared by all calls that ask meanwhile. Nothing is remembered afterwards. */
  readonly #pending = new Map<string, Promise<readonly string[]>>();
  readonly #waiting: (() => void)[] = [];
  #free = LOOKUPS;

  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  /** Throws a refusal if the name has no address or takes too long. */
  async addressesOf(name: string): Promise<readonly string[]> {
    const found = await inTime(this.#shared(name), name);
    const addresses = [...new Set(found)].slice(0, LIMITS.hostAddresses);
    if (addresses.length === 0 || !addresses.every((address) => isIP(address) !== 0)) {
      throw new Refusal(`the host ${printable(name)} has no address`);
    }
    return addresses;
  }

  #shared(name: string): Promise<readonly string[]> {
    const pending = this.#pending.get(name);
    if (pending !== undefined) return pending;
    const looking = this.#limited(name).finally(() => this.#pending.delete(name));
    this.#pending.set(name, looking);
    return looking;
  }

  /** INVARIANT: I9: a resolver that never answers uses up the places for lookups, and nothing that others need. */
  async #limited(name: string): Promise<readonly string[]> {
    if (this.#free === 0) {
      if (this.#waiting.length >= WAITING) throw new Refusal("too many names of hosts wait to be looked up");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#free -= 1;
    try {
      return await this.#lookUp(name);
    } catch (error) {
      throw new Refusal(`the host ${printable(name)} is not found (${codeOf(error)})`);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** Looks up a name by the machine's own resolver. */
export async function systemLookUp(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true, order: "verbatim" })).map(({ address }) => address);
}

async function inTime<T>(work: Promise<T>, name: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Refusal(`the host ${printable(name)} was not found within ${TIMEOUT_MS} ms`));
  }, TIMEOUT_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof FemtoError) return error.message;
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === "string" ? printable(code, 32) : "unknown cause";
}
