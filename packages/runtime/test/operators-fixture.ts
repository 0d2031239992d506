/** Operators with keys who answer cards. */

import { hash } from "node:crypto";
import { newOperatorKey, operatorSigner, readOperatorKey, signAnswer } from "@femtoclaw/journal";
import type { Answered, ApprovalCard } from "@femtoclaw/protocol";
import type { Runtime } from "@femtoclaw/runtime";

export interface SignedFields {
  readonly answer?: "granted" | "refused";
  readonly scope?: "once" | "session";
  readonly reason?: string | null;
  readonly log?: string;
  readonly question?: number;
  readonly digest?: string;
  readonly expiresAt?: string;
}

export type Card = Pick<ApprovalCard, "id" | "digest" | "log" | "expires_at">;

export class Operator {
  readonly vkey: string;
  readonly #pem: string;

  constructor(name: string) {
    ({ vkey: this.vkey, pem: this.#pem } = newOperatorKey(name, null));
  }

  /** The public key of another operator, under a name that it was not made for. */
  static withKeyOf({ vkey }: Operator, name: string): string {
    const key = Buffer.from(vkey.split("+").slice(2).join("+"), "base64");
    const id = hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), key]), "buffer").subarray(0, 4);
    return `${name}+${id.toString("hex")}+${key.toString("base64")}`;
  }

  /** A yes to what the card asks, unless the fields say something else. */
  sign({ id, digest, log, expires_at }: Card, fields: SignedFields = {}): string {
    const key = readOperatorKey(this.#pem, null);
    const signer = key === null ? null : operatorSigner(key, [this.vkey]);
    if (signer === null) throw new Error("a new key is readable");
    const said = { log, question: Number(id), digest, answer: "granted", scope: "once", reason: null } as const;
    return signAnswer({ ...said, signedAt: new Date().toISOString(), expiresAt: expires_at, ...fields }, signer);
  }

  async says(runtime: Runtime, card: Card, fields: SignedFields = {}): Promise<Answered> {
    return await runtime.approvals.answerSigned(this.sign(card, fields));
  }
}
