/** Checks the signed answers of operators while a whole log is verified. */
import type { ApprovalAuthority, TypedRecord } from "@femtoclaw/protocol";
import { answerFault } from "./signed-answer.ts";

export class AnswerCheck {
  /**
   * The approval settings of the current boot. Undefined if the record of that boot was pruned, or if it is of an older
   * version that did not state them.
   */
  #authority: ApprovalAuthority | undefined;
  /** Numbers of the questions that several operators have to say yes to, until they have. */
  readonly #ofSeveral = new Set<number>();
  #unchecked = 0;
  /** Number of answers with a valid signature. */
  signed = 0;

  /** Takes the records of boots, questions and answers, in order. Returns what is wrong with this record, if anything. */
  record(record: TypedRecord, log: string): string | undefined {
    if (record.type === "boot.started") this.#authority = record.body.approvals;
    if (record.type === "approval.asked" && record.body.approvers > 1) this.#ofSeveral.add(record.seq);
    return record.type === "approval.answered" ? this.#answer(record, log) : undefined;
  }

  caveats(): string[] {
    if (this.#unchecked === 0) return [];
    return [
      `whether an operator of then gave ${this.#unchecked} of the signed answers cannot be seen: the record that names them is gone`,
    ];
  }

  // INVARIANT: I7: an answer that had to be signed is signed for this very log by a key that was in force at the time.
  #answer(record: TypedRecord & { type: "approval.answered" }, log: string): string | undefined {
    const { key, signature, question, answer, complete } = record.body;
    const isOfSeveral = this.#ofSeveral.has(question);
    if (complete) this.#ofSeveral.delete(question);
    const fault = answerFault(record);
    if (fault !== null) return fault;
    if (key === undefined || signature === undefined) {
      const hadToBe = this.#authority?.operator_key === true || (isOfSeveral && answer === "granted");
      return hadToBe && this.#authority !== undefined ? "its answer is not signed, and had to be" : undefined;
    }
    if (signature.log !== log) return "its answer was signed for another log";
    if (this.#authority === undefined) this.#unchecked += 1;
    else if (!this.#authority.operators.includes(key)) return "its answer is signed by nobody who was an operator then";
    this.signed += 1;
    return undefined;
  }
}
