/** The policies that records of a log hold, by revision. Each is prepared when it is first needed. */
import { createHash } from "node:crypto";
import type { EnforceablePolicy, PolicyReader } from "@femtoclaw/policy";
import { errorText, type PolicyActivatedBody } from "@femtoclaw/protocol";

type Found = { readonly policy: EnforceablePolicy } | { readonly obstacle: string };

/**
 * LIMIT: policies that are kept at once, so that a log of many boots is read in bounded memory; the oldest are dropped.
 */
const POLICIES_MAX = 64;

/** Policies by revision, as the records of one log hold them. */
export class RecordedPolicies {
  readonly #reader: PolicyReader;
  readonly #currentSchema: string;
  readonly #bodies = new Map<string, PolicyActivatedBody>();
  readonly #found = new Map<string, Found>();

  /** `currentSchema` is used for a record from before records had a schema, if it is the one that the record names. */
  constructor(reader: PolicyReader, currentSchema: string) {
    this.#reader = reader;
    this.#currentSchema = currentSchema;
  }

  /** Remembers the policy of a record. */
  add(body: PolicyActivatedBody): void {
    const { revision } = body;
    // The revision covers the rules, so any record that still has them will do.
    if (body.rules === null && this.#bodies.has(revision)) return;
    this.#found.delete(revision);
    this.#bodies.delete(revision);
    this.#bodies.set(revision, body);
    const [oldest] = this.#bodies.keys();
    if (this.#bodies.size <= POLICIES_MAX || oldest === undefined) return;
    this.#bodies.delete(oldest);
    this.#found.delete(oldest);
  }

  /** The policy, ready to decide, or why it cannot. */
  async find(revision: string): Promise<Found> {
    const known = this.#found.get(revision);
    if (known !== undefined) return known;
    const body = this.#bodies.get(revision);
    if (body === undefined) return { obstacle: "the record of its policy is not there" };
    const found = await this.#prepare(body);
    this.#found.set(revision, found);
    return found;
  }

  /** Remembers that this policy cannot decide. */
  refuse(revision: string, reason: string): string {
    const obstacle = `its policy cannot be put in force: ${reason}`;
    this.#found.set(revision, { obstacle });
    return obstacle;
  }

  async #prepare({ revision, engine, rules, schema, schema_sha256 }: PolicyActivatedBody): Promise<Found> {
    if (rules === null) return { obstacle: "the rules of its policy are gone" };
    const schemaText = schema ?? this.#currentSchema;
    if (createHash("sha256").update(schemaText).digest("hex") !== schema_sha256) {
      return { obstacle: "its policy was written in an older vocabulary of facts, which the record does not hold" };
    }
    try {
      return { policy: await this.#reader.enforceable({ revision, engine, schemaText, rules }) };
    } catch (error) {
      return { obstacle: `its policy cannot be read: ${errorText(error)}` };
    }
  }
}
