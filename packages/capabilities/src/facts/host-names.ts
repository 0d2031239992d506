/** Looks names of hosts up, each once for the call that names it. What is found is all that the call may dial. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { FemtoError, LIMITS, printable } from "@femtoclaw/protocol";
import { Refusal } from "./refusal.ts";

/** The addresses of a name; a test puts a resolver of its own in its place. */
export type LookUp = (name: string) => Promise<readonly string[]>;

/** LIMIT: names looked up at once: the system's resolver takes a thread of four, of which the journal needs some, too. */
const LOOKUPS = 2;
/** LIMIT: names that wait; a name that many calls name waits once. */
const WAITING = 128;
/** LIMIT: time of one name, its wait included. */
const TIMEOUT_MS = 3_000;

/** Looks hosts up, so many at once. */
export class HostNames {
  readonly #lookUp: LookUp;
  /** Names that are being looked up now, for all calls that name them meanwhile. Nothing is remembered afterwards. */
  readonly #pending = new Map<string, Promise<readonly string[]>>();
  readonly #waiting: (() => void)[] = [];
  #free = LOOKUPS;

  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  /** Throws a refusal for a name that has no address, or takes too long. */
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

  /** INVARIANT: I9: a resolver that never answers takes its own places, and none that others need. */
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

/** As the machine's own resolver does it. */
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
