/** What leaves a record before it is written, and how it comes back. */
import { createHmac } from "node:crypto";
import { type Facts, LIMITS, type TypedRecord, validateRecord } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { openCommitment, Salts } from "../../src/sealing/commitments.ts";
import { redact } from "../../src/sealing/redact.ts";
import { type SealableEntry, type SealedRecord, seal } from "../../src/sealing/seal.ts";
import { unseal } from "../../src/sealing/unseal.ts";
import { MACHINES } from "../journal-fixture.ts";

const HASH = "0".repeat(64);
const LARGE = "x".repeat(LIMITS.recordedValueChars + 1);
const FRAME = {
  v: 1,
  seq: 7,
  at: "2026-01-02T03:04:05.000006Z",
  mono_us: 1,
  boot: "b",
  machine: MACHINES.execution,
} as const;

/** Salts that count, so that no two are alike and every run is the same. */
function salts(): Salts {
  let next = 0;
  return new Salts((bytes) => Uint8Array.from({ length: bytes }, () => (next = (next + 7) % 251)));
}

const sealed = (entry: SealableEntry): SealedRecord => seal(FRAME, entry, { salts: salts(), keepsValues: true });

const outcome = (result: Record<string, unknown>, more: Partial<SealableEntry> = {}): SealableEntry =>
  ({
    type: "execution.outcome",
    session: "s",
    execution: "e",
    body: { intent: 1, event: "succeeded", began: true, duration_us: 1, sandbox: null, result },
    ...more,
  }) as SealableEntry;

const opened = async (sealed: SealedRecord, erased: readonly number[] = []): Promise<TypedRecord> => {
  const { record } = await unseal(sealed.record, async (seq, index) => {
    expect(seq).toBe(FRAME.seq);
    return erased.includes(index) ? null : (sealed.blobs[index]?.bytes ?? null);
  });
  return record;
};

describe("an outcome", () => {
  const [long, other] = ["k".repeat(40_000), "l".repeat(40_000)];
  const hostile: Readonly<Record<string, Record<string, unknown>>> = {
    "many secrets": { items: Array.from({ length: 3_000 }, () => ({ token: "a b" })) },
    "a secret under a name as long as a record": { [long]: { token: "a b" }, [other]: { token: "a b" } },
    "a large text under a name as long as a record": { [long]: LARGE, [other]: LARGE },
    "large texts and secrets, each in a deep place": Object.fromEntries(
      Array.from({ length: 16 }, (_, index) => [`${"\u0001".repeat(200)}${index}`, { large: LARGE, token: "a b" }]),
    ),
  };

  it.each(Object.entries(hostile))("fits into its record with %s", async (_, result) => {
    const found = sealed(outcome(result));
    expect(found.bytes.byteLength).toBeLessThanOrEqual(LIMITS.recordBytes);
    expect(validateRecord(found.record), JSON.stringify(validateRecord.errors)).toBe(true);
    const { body } = await opened(found);
    expect(body).toMatchObject({ result: redact(result).value });
    const rules = new Set(found.record.redactions?.map(({ path, rule }) => `${path} ${rule}`));
    if (JSON.stringify(result).includes("token")) expect([...rules]).toEqual(["/result name"]);
  });
});

describe("a record", () => {
  it("that is small and holds no secret is written as it was said", () => {
    const { record, bytes, blobs } = sealed(outcome({ text: "ünï" }));
    expect(record.body).toEqual(outcome({ text: "ünï" }).body);
    expect(Object.keys(record)).toEqual([
      "v",
      "seq",
      "at",
      "mono_us",
      "boot",
      "type",
      "actor",
      "session",
      "execution",
      "machine",
      "body",
    ]);
    expect(JSON.parse(bytes.toString())).toEqual(record);
    expect(blobs).toEqual([]);
  });

  it("commits to a large text, which comes back from beside it", async () => {
    const result = { stdout: LARGE, stderr: "", list: ["a", `${LARGE}b`] };
    const one = sealed(outcome(result));
    expect(one.record.body).toMatchObject({ result: { stdout: null, stderr: "", list: ["a", null] } });
    expect(one.record.commitments).toMatchObject([
      { path: "/result/stdout", form: "text", bytes: LARGE.length, kept: true },
      { path: "/result/list/1", form: "text", bytes: LARGE.length + 1, kept: true },
    ]);
    expect(one.bytes.toString()).not.toContain("xxxx");
    expect(validateRecord(one.record)).toBe(true);
    expect((await opened(one)).body).toEqual(outcome(result).body);
  });

  it("commits to a whole member that is large in many small pieces, or has many large ones", async () => {
    for (const result of [
      { lines: Array.from({ length: 5_000 }, (_, line) => `line ${line} of many`) },
      Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`text${at}`, LARGE])),
    ]) {
      const one = sealed(outcome(result));
      expect(one.record.body).toMatchObject({ result: null });
      expect(one.record.commitments).toMatchObject([{ path: "/result", form: "json", kept: true }]);
      expect(one.bytes.byteLength).toBeLessThan(LIMITS.recordBytes);
      expect((await opened(one)).body).toEqual(outcome(result).body);
    }
  });

  it("lets texts leave first and then what is left of their member, and puts both back", async () => {
    const result = { stdout: LARGE, lines: Array.from({ length: 5_000 }, (_, line) => `line ${line} of many`) };
    const one = sealed(outcome(result));
    expect(one.record.commitments?.map(({ path }) => path)).toEqual(["/result/stdout", "/result"]);
    expect((await opened(one)).body).toEqual(outcome(result).body);
  });

  it("never holds more than its limit, whatever a call brings", () => {
    const facts: Facts = { questions: [{ kind: "tool" }] };
    const args = Object.fromEntries(Array.from({ length: 4_000 }, (_, at) => [`key${at}`, "value value"]));
    const body = {
      tool: "t",
      capability: "1",
      args,
      label: null,
      facts,
      input_sha256: HASH,
      revision: HASH,
      rules: [],
      received_us: 1,
    };
    const { bytes, record } = sealed({ type: "execution.intent", session: "s", execution: "e", body });
    expect(bytes.byteLength).toBeLessThanOrEqual(LIMITS.recordBytes);
    expect(record.body).toMatchObject({ args: null, facts });
  });

  it("that cannot be made small enough is refused", () => {
    const body = { event: "x".repeat(LIMITS.recordBytes), from: "idle", to: "draining" } as const;
    expect(() => sealed({ type: "lifecycle.changed", session: null, execution: null, body })).toThrow(
      expect.objectContaining({ code: "FEMTO_JOURNAL_RECORD_TOO_LARGE" }),
    );
  });

  it("refuses a lone surrogate in what would leave it, too", () => {
    expect(() => sealed(outcome({ text: `${LARGE}\ud800` }))).toThrow(
      expect.objectContaining({ code: "FEMTO_PROTOCOL_TEXT" }),
    );
  });

  it("has a member called __proto__ like any other", async () => {
    const result = JSON.parse(`{"__proto__":{"a":"${LARGE}"},"password":"open sesame"}`) as Record<string, unknown>;
    const one = sealed(outcome(result));
    expect(one.record.commitments?.[0]?.path).toBe("/result/__proto__/a");
    expect(JSON.stringify((await opened(one)).body)).toContain(`"__proto__":{"a":"xxx`);
    expect(one.bytes.toString()).not.toContain("sesame");
  });
});

describe("a commitment", () => {
  const committed = sealed(outcome({ text: LARGE }));
  const [commitment, blob] = [committed.record.commitments?.[0], committed.blobs[0]?.bytes];
  if (commitment === undefined || blob === undefined) throw new Error("a large text leaves a commitment");

  it("leaves null where its value was erased, and says nothing wrong", async () => {
    expect((await opened(committed, [0])).body).toMatchObject({ result: { text: null } });
  });

  it("opens only for the value and the salt that it was made of", () => {
    expect(openCommitment(commitment, blob)?.byteLength).toBe(LARGE.length);
    for (const at of [0, 31, 32, blob.byteLength - 1]) {
      const wrong = Buffer.from(blob);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      expect(openCommitment(commitment, wrong)).toBeUndefined();
    }
    for (const wrong of [blob.subarray(1), Buffer.concat([blob, Buffer.alloc(1)]), Buffer.alloc(0)]) {
      expect(openCommitment(commitment, wrong)).toBeUndefined();
    }
  });

  it("is another each time, also over the same value", () => {
    const twice = sealed(outcome({ a: LARGE, b: LARGE })).record.commitments;
    expect(twice?.[0]?.hmac).not.toBe(twice?.[1]?.hmac);
  });

  it("can be to something that is not kept, which its owner can still show", () => {
    const payload = Buffer.from("a payload that was refused");
    const { record, blobs, bytes } = sealed(outcome({}, { committed: [{ path: "/request/payload", bytes: payload }] }));
    const [own] = record.commitments ?? [];
    const [salt] = blobs;
    if (own === undefined || salt === undefined) throw new Error("it leaves a commitment");
    expect(own).toMatchObject({ form: "bytes", bytes: payload.byteLength, kept: false });
    expect(Buffer.concat([bytes, salt.bytes]).includes("refused")).toBe(false);
    expect(openCommitment(own, salt.bytes)).toBeNull();
    expect(createHmac("sha256", salt.bytes).update(payload).digest("hex")).toBe(own.hmac);
  });
});

describe("what is kept beside a record", () => {
  it("is never taken for the value when it is not what was committed to", async () => {
    const one = sealed(outcome({ text: LARGE }));
    const forged = unseal(one.record, async () => Buffer.alloc(32 + LARGE.length));
    await expect(forged).rejects.toMatchObject({ code: "FEMTO_JOURNAL_CORRUPT" });
  });
});
