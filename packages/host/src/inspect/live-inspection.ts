/** Answers the requests of the page from the running host, over the operator's socket. */

import type { OperatorClient } from "@femtoclaw/client";
import type { Answer, Beginning, Explained, Inspection, ProofView, Question, Summary } from "@femtoclaw/inspector";
import { checkProof } from "@femtoclaw/journal";
import { type RecordedDecision, type RecordPage, VERSION } from "@femtoclaw/protocol";
import type { CommandContext } from "../commands/command-context.ts";
import { hostStatus } from "../process/host-status.ts";
import { explained } from "./explained.ts";

/** Milliseconds after which an empty answer is sent. */
const WAIT_MS = 5_000;

export class LiveInspection implements Inspection {
  readonly #context: CommandContext;
  readonly #host: { readonly operator: OperatorClient };
  readonly #approve: boolean;

  /** `host` has the connection to the host that runs now. */
  constructor(
    context: CommandContext,
    host: { readonly operator: OperatorClient },
    options: { readonly approve: boolean },
  ) {
    this.#context = context;
    this.#host = host;
    this.#approve = options.approve;
  }

  get #operator(): OperatorClient {
    return this.#host.operator;
  }

  async begin(): Promise<Beginning> {
    const { log } = await hostStatus(this.#operator);
    const summary = (await this.#operator.logSummary()) as Summary | null;
    return { mode: "live", log, version: VERSION, approve: this.#approve, summary, verdict: null };
  }

  records(from: number): Promise<RecordPage> {
    return this.#operator.records(from, WAIT_MS);
  }

  status(): Promise<Readonly<Record<string, unknown>>> {
    return this.#operator.status();
  }

  async body(seq: number): Promise<Readonly<Record<string, unknown>> | null> {
    const [record] = (await this.#operator.records(seq)).records;
    if (record === undefined) return null;
    if (record.type !== "execution.outcome") return { ...(await this.#decision(String(seq))).record.body };
    const { result } = await this.#operator.execution(record.execution ?? "");
    return { ...record.body, result: result ?? null };
  }

  async explain(ref: string): Promise<Explained> {
    return await explained(this.#context, await this.#decision(ref));
  }

  async prove(seq: number): Promise<ProofView | null> {
    const { proof, record } = await this.#operator.prove(String(seq));
    if (record === null) return null;
    const { vkey } = await this.#operator.keys();
    return proofView(seq, checkProof({ proof, recordBytes: Buffer.from(record, "base64"), vkey }));
  }

  async questions(): Promise<readonly Question[]> {
    return await this.#operator.approvals();
  }

  async answer(answer: Answer): Promise<{ seq: number; complete: boolean }> {
    return await this.#operator.answerApproval({ ...answer, scope: "once" });
  }

  async #decision(ref: string): Promise<RecordedDecision> {
    return await this.#operator.decision(ref);
  }
}

export function proofView(seq: number, check: ReturnType<typeof checkProof>): ProofView {
  if (!check.ok) return { seq, size: 0, origin: "", holds: false, reason: check.reason };
  const { origin, size, index } = check;
  const holds = index === seq;
  return { seq, size, origin, holds, reason: holds ? null : `the proof is of record ${index}` };
}
