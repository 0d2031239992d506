/** What a verification of a whole log finds out about the answers of operators in it. */
import type { ApprovalAuthority, TypedRecord } from "@femtoclaw/protocol";
import { answerFault } from "./signed-answer.ts";

export class AnswerCheck {
  /** Undefined while the record of the boot was pruned, or is of a version that told nothing of it. */
  #authority: ApprovalAuthority | undefined;
  #unchecked = 0;
  /** Answers whose signature holds. */
  signed = 0;

  /** Takes the records of boots and of answers, in order. What is returned is wrong with this one. */
  record(record: TypedRecord, log: string): string | undefined {
    if (record.type === "boot.started") this.#authority = record.body.approvals;
    return record.type === "approval.answered" ? this.#answer(record, log) : undefined;
  }

  caveats(): string[] {
    if (this.#unchecked === 0) return [];
    return [
      `whether an operator of then gave ${this.#unchecked} of the signed answers cannot be seen: the record that names them is gone`,
    ];
  }

  // INVARIANT: I7: an answer that needed a signature has one, by a key that was in force, for this very log.
  #answer(record: TypedRecord & { type: "approval.answered" }, log: string): string | undefined {
    const { key, signature } = record.body;
    const fault = answerFault(record);
    if (fault !== null) return fault;
    if (key === undefined || signature === undefined) {
      return this.#authority?.operator_key === true ? "its answer is not signed, and had to be" : undefined;
    }
    if (signature.log !== log) return "its answer was signed for another log";
    if (this.#authority === undefined) this.#unchecked += 1;
    else if (!this.#authority.operators.includes(key)) return "its answer is signed by nobody who was an operator then";
    this.signed += 1;
    return undefined;
  }
}
