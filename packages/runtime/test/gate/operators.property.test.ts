/**
 * Any order of answers, restarts with other operators, halts and journal writes that take their time: what the gate
 * takes is what the fold of its records makes of it, and a call goes on only with enough yeses of different keys in force.
 */
import { newOperatorKey, operatorSigner, readOperatorKey, signAnswer } from "@femtoclaw/journal";
import type { ExecutionId, TypedRecord } from "@femtoclaw/protocol";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Questions, type Settlement } from "../../src/gate/questions/questions.ts";
import type { WaitingCall } from "../../src/gate/questions/waiting-call.ts";
import { answeredBy, type OpenQuestion, questionsUnder } from "../../src/projection/open-questions.ts";

const LOG = "femtoclaw.local/log";
const DIGEST = "d".repeat(64);
const NAMES = ["alice", "bob", "carol"] as const;
const KEYS = NAMES.map((name) => newOperatorKey(name, null));
const SIGNERS = KEYS.map(({ pem, vkey }) => {
  const key = readOperatorKey(pem, null);
  const signer = key === null ? null : operatorSigner(key, [vkey]);
  if (signer === null) throw new Error("a new key is readable");
  return signer;
});
const AT = { state: "awaitingApproval", category: null } as unknown as OpenQuestion["at"];
const CLOCK = { nowUs: () => 1_000_000, monotonicUs: () => 1, after: () => () => undefined };

type Answered = TypedRecord & { readonly type: "approval.answered" };

/** The gate of one boot after the other, and beside it what a fold makes of the records that it writes. */
class Boots {
  readonly settled: Settlement[] = [];
  question: OpenQuestion;
  operators: readonly string[] = KEYS.map(({ vkey }) => vkey);
  /** Yeses that count, as the model has them. */
  yes = new Set<number>();
  #seq = 7;
  #questions: Questions;
  #write: (() => void) | null = null;
  readonly #slow: boolean;

  constructor(approvers: number, slow: boolean) {
    this.#slow = slow;
    this.question = { seq: 7, tool: "t", session: "s", digest: DIGEST, approvers, granted: [], at: AT };
    this.#questions = this.#begun();
  }

  async answer(by: number, answer: "granted" | "refused", meanwhile: () => void = () => undefined): Promise<boolean> {
    const signer = SIGNERS[by];
    if (signer === undefined) throw new Error("there is no such operator");
    const said = { log: LOG, question: 7, digest: DIGEST, answer, scope: "once", reason: null } as const;
    const [signedAt, expiresAt] = ["1970-01-01T00:00:00.500Z", "1970-01-01T00:01:00.000Z"];
    const answered = this.#questions.answerSigned(signAnswer({ ...said, signedAt, expiresAt }, signer));
    meanwhile();
    this.#write?.();
    return await answered.then(
      () => true,
      () => false,
    );
  }

  async unsignedYes(): Promise<boolean> {
    const answered = this.#questions.answer({ id: "7", digest: DIGEST, answer: "granted", scope: "once", by: "uid:0" });
    this.#write?.();
    return await answered.then(
      () => true,
      () => false,
    );
  }

  halt(): void {
    this.#questions.halt("s", "halted");
  }

  /** Another boot, with some of the operators; it begins with what the records say. */
  restart(operators: readonly number[]): void {
    this.operators = operators.flatMap((index) => KEYS[index]?.vkey ?? []);
    const authority = { operators: [...this.operators], operator_key: false };
    this.question = questionsUnder(authority, new Map([["e", this.question]])).get("e") ?? this.question;
    this.yes = new Set([...this.yes].filter((index) => operators.includes(index)));
    this.#questions = this.#begun();
  }

  #begun(): Questions {
    const questions = new Questions({
      clock: CLOCK,
      settings: { expiresMs: 1_000, perSession: 8, atOnce: 256, operators: this.operators, operatorKey: false },
      log: LOG,
      append: async ({ actor, session, execution, body }) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#write = resolve;
        if (this.#slow) await promise;
        this.#write = null;
        this.#seq += 1;
        const record = { type: "approval.answered", seq: this.#seq, actor, session, execution, body };
        this.question = answeredBy(record as unknown as Answered, this.question, AT, {
          operators: [...this.operators],
          operator_key: false,
        });
        return { seq: this.#seq };
      },
      admission: () => null,
      isOpen: () => true,
      settle: (_, how) => void this.settled.push(how),
    });
    const { seq, granted, approvers } = this.question;
    const waiting: WaitingCall = {
      seq,
      execution: "e" as ExecutionId,
      session: "s",
      tool: "t",
      revision: "r",
      digest: DIGEST,
      approvers,
      granted,
      secretArgs: null,
      secretBytes: 0,
      expiresUs: 60_000_000,
      deadlineUs: 60_000_000,
    };
    questions.add(waiting);
    return questions;
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant("yes" as const), by: fc.nat({ max: 2 }), halted: fc.boolean() }),
  fc.record({ do: fc.constant("yes" as const), by: fc.nat({ max: 2 }), halted: fc.constant(false) }),
  fc.record({ do: fc.constant("no" as const), by: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constant("unsigned" as const) }),
  fc.record({ do: fc.constant("restart" as const), operators: fc.uniqueArray(fc.nat({ max: 2 }), { minLength: 1 }) }),
);

it("goes on only with enough yeses of different keys in force, and the fold says the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 3 }),
      fc.boolean(),
      fc.array(step, { maxLength: 12 }),
      async (approvers, slow, steps) => {
        const boots = new Boots(approvers, slow);
        for (const next of steps) {
          if (boots.settled.length > 0) break;
          if (next.do === "restart") boots.restart(next.operators);
          else if (next.do === "unsigned") expect(await boots.unsignedYes()).toBe(false);
          else {
            const counts = boots.operators.includes(KEYS[next.by]?.vkey ?? "");
            const isNew = next.do === "no" || !boots.yes.has(next.by);
            const halts = next.do === "yes" && next.halted;
            const taken = await boots.answer(next.by, next.do === "yes" ? "granted" : "refused", () => {
              if (halts) boots.halt();
            });
            expect(taken).toBe(counts && isNew);
            if (taken && next.do === "yes") boots.yes.add(next.by);
            const how =
              next.do === "no" && taken ? "refused" : boots.yes.size >= approvers ? "granted" : halts ? "halted" : null;
            expect(boots.settled).toEqual(how === null ? [] : [how]);
          }
          expect(boots.question.granted).toEqual([...boots.yes].map((index) => KEYS[index]?.vkey));
        }
      },
    ),
    { numRuns: 150 },
  );
});
