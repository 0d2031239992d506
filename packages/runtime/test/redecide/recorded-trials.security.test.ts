/** Verdicts of rules on trial, made again from the records: as they were, or found out, or said to be undecidable. */
import type { PolicyActivatedBody, ShadowVerdict, TypedRecord } from "@femtoclaw/protocol";
import {
  AS_RECORDED,
  type DecidedLog,
  newestTrial,
  ON_TRIAL,
  policyDifference,
  RecordedTrialJudge,
} from "@femtoclaw/runtime/redecide";
import { describe, expect, it } from "vitest";
import { wholeRecord } from "../../src/redecide/whole-record.ts";
import { recordsOf } from "../runtime-fixture.ts";
import { BY, fileRule, onTrial, PERMIT_ALL, place, READING, read } from "../shadow/shadow-fixture.ts";

const FORBID = fileRule("none", "forbid (principal, action, resource);");

/** Two calls under one set on trial, one under another, and one under none. */
async function history(): Promise<TypedRecord[]> {
  const { home, runtime } = await place({ configuration: READING, policyFiles: onTrial(FORBID) });
  const session = runtime.openSession({ channel: "agent" });
  for (const name of ["small", "large"]) await session.propose(read(home, name));
  await runtime.reload({ configuration: home.configuration(READING), policyFiles: onTrial(PERMIT_ALL) }, BY);
  await session.propose(read(home, "small"));
  const { shadow: _, ...without } = READING;
  await runtime.reload({ configuration: home.configuration(without) }, BY);
  await session.propose(read(home, "small"));
  // With what stands beside them: a schema of many capabilities is too large for its record.
  const { reader } = runtime;
  return await Promise.all((await recordsOf(reader)).map((record) => wholeRecord(reader, record)));
}

function logOf(
  records: readonly TypedRecord[],
): DecidedLog & { readBackwards: (from: number, to: number) => AsyncGenerator<TypedRecord> } {
  return {
    size: records.length,
    read: async function* (from = 0, to = records.length) {
      yield* records.slice(from, to);
    },
    readBackwards: async function* (from, to) {
      yield* records.slice(from, to).reverse();
    },
    withValues: async (record) => ({ record, erased: [], missing: [] }) as never,
    prunedBefore: async () => 0,
  };
}

const again = async (records: readonly TypedRecord[]) =>
  await policyDifference(logOf(records), {
    before: ON_TRIAL,
    after: await RecordedTrialJudge.open(""),
    exact: true,
    among: ({ shadow }) => shadow !== null,
  });

type Change = (shadow: ShadowVerdict | null, activated: PolicyActivatedBody | null) => void;

/** The records, with each verdict and each set on trial as somebody would have them. */
function forged(records: readonly TypedRecord[], change: Change): TypedRecord[] {
  const copy = structuredClone(records) as TypedRecord[];
  for (const { type, body } of copy) {
    if (type === "execution.intent" && body.shadow !== undefined) change(body.shadow, null);
    if (type === "policy.activated" && body.shadow !== undefined) change(null, body);
  }
  expect(copy).not.toEqual(records);
  return copy;
}

describe("a verdict of rules on trial", () => {
  let written: Promise<TypedRecord[]> | undefined;
  const recorded = (): Promise<TypedRecord[]> => {
    written ??= history();
    return written;
  };

  it("is made again by the rules that were on trial then, and told apart from what was decided", async () => {
    const records = await recorded();
    expect(await again(records)).toMatchObject({ calls: 3, changed: 0, undecidable: [] });
    const among = ({ shadow }: { readonly shadow: unknown }) => shadow !== null;
    const difference = await policyDifference(logOf(records), { before: AS_RECORDED, after: ON_TRIAL, among });
    expect(difference).toMatchObject({ calls: 3, changed: 2, groups: [{ was: "allowed", now: "denied", count: 2 }] });
    expect((await newestTrial(logOf(records)))?.shadow_rules?.at(-1)?.id).toBe(PERMIT_ALL.id);
  });

  it.each<[string, Change]>([
    ["another verdict", (shadow) => shadow !== null && Object.assign(shadow, { verdict: "asks" })],
    ["one by other rules", (shadow) => shadow?.rules.push("zz")],
    ["one under another code", (shadow) => shadow !== null && Object.assign(shadow, { code: "FEMTO_OVERLOADED" })],
  ])("that was made %s afterwards is found out", async (_, change) => {
    expect(await again(forged(await recorded(), change))).toMatchObject({ calls: 3, changed: 3 });
  });

  it.each<[string, Change]>([
    ["whose rules were changed", (_, body) => body?.shadow_rules?.pop()],
    ["whose rules are gone", (_, body) => body !== null && Object.assign(body, { shadow_rules: null })],
    ["of rules that nobody loaded", (shadow) => shadow !== null && Object.assign(shadow, { revision: "0".repeat(64) })],
  ])("%s is undecidable, and nothing is guessed", async (_, change) => {
    const found = await again(forged(await recorded(), change));
    expect(found).toMatchObject({ calls: 0, changed: 0 });
    expect(found.undecidable.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });
});
