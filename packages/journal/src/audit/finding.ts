/** Why a log is not what it should be, and the first record that cannot be vouched for. */
export class Finding extends Error {
  readonly seq: number;
  readonly reason: string;
  readonly verdict: "tampered" | "unverifiable";

  constructor(seq: number, reason: string, verdict: Finding["verdict"] = "tampered") {
    super(reason);
    this.seq = seq;
    this.reason = reason;
    this.verdict = verdict;
  }
}
