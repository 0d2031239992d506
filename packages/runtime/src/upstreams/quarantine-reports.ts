/** Decides which changes of one MCP server or one package are reported as quarantined. */

/** LIMIT: reports of one boot about one of them; it may change something each time it is asked. */
const REPORTS_MAX = 64;

export class QuarantineReports {
  /** Digest of the list that was reported last. */
  #last: string | null = null;
  #count = 0;

  /** Whether the list with this digest is to be reported now. The same list is not reported twice in a row. */
  isDue(digest: string): boolean {
    if (digest === this.#last || this.#count >= REPORTS_MAX) return false;
    this.#last = digest;
    this.#count += 1;
    return true;
  }
}
