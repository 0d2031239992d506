/** A failure as data. Errors do not survive JSON, so machines and records carry this instead. */
export interface Fault {
  readonly code: string;
  readonly reason: string;
}
