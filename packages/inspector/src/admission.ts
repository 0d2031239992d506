/**
 * Decides who may ask the local server: nobody without the ticket printed on the operator's terminal, and no page but
 * ours. A browser reveals from where a request comes; a program that is no browser needs the ticket as well.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly reason: string;
}

type Headers = Pick<IncomingMessage, "headers" | "headersDistinct">;

/** Random bytes of a ticket and of a session. */
const SECRET_BYTES = 32;

export class Admission {
  /** `127.0.0.1:PORT`: a request for another name was led here by somebody else. */
  readonly #host: string;
  #ticket: string | null = secret();
  readonly #session = secret();

  constructor(host: string) {
    this.#host = host;
  }

  /** Goes into the fragment of the address, which browsers send to nobody. */
  get ticket(): string | null {
    return this.#ticket;
  }

  /** INVARIANT: a ticket works once, so the one who comes second learns that somebody was there. */
  exchange(ticket: string): string | null {
    if (this.#ticket === null || !isSame(ticket, this.#ticket)) return null;
    this.#ticket = null;
    return this.#session;
  }

  /** Applies to every request, even one for the page itself, which contains no data. */
  refuseOrigin({ headers, headersDistinct }: Headers, isNavigation: boolean): Refusal | null {
    const [host, second] = headersDistinct["host"] ?? [];
    if (host !== this.#host || second !== undefined) {
      return { status: 421, reason: "this is not the address of the inspector" };
    }
    const { origin } = headers;
    if (origin !== undefined && origin !== `http://${this.#host}`) {
      return { status: 403, reason: "another page asks" };
    }
    const site = headers["sec-fetch-site"];
    if (site === undefined || site === "same-origin") return null;
    // The page is opened from a terminal or a file, which counts as cross-site; it must not be opened in a frame.
    const isOpened =
      isNavigation && headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
    return isOpened ? null : { status: 403, reason: "another page asks" };
  }

  /** Applies to requests for data. */
  refuseStranger({ authorization }: IncomingHttpHeaders): Refusal | null {
    const given = authorization?.startsWith("Bearer ") === true ? authorization.slice("Bearer ".length) : "";
    return isSame(given, this.#session) ? null : { status: 401, reason: "no session, or one of another start" };
  }
}

const secret = (): string => randomBytes(SECRET_BYTES).toString("base64url");

/** Takes the same time wherever the texts differ. */
function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
