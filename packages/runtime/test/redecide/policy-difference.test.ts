import { join } from "node:path";
import { exportTiles, exportValues, TilesReader } from "@femtoclaw/journal";
import type { Runtime } from "@femtoclaw/runtime";
import { AS_RECORDED, policyDifference, RecordedJudge, recordedDecision } from "@femtoclaw/runtime/redecide";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wholeRecord } from "../../src/redecide/whole-record.ts";
import { type Home, ofType, recordsOf } from "../runtime-fixture.ts";
import { decidedHistory, judgeUnder, TABLES } from "./decided-history.ts";

let home: Home;
let runtime: Runtime;
let reader: Runtime["reader"];
beforeAll(async () => {
  ({ home, runtime } = await decidedHistory());
  reader = runtime.reader;
});
afterAll(async () => {
  await runtime.close({ drainMs: 0 });
  home.remove();
});

describe("under the policies that the records hold", () => {
  it("every call is decided as it was, by the same rules", async () => {
    const after = await RecordedJudge.open("");
    const difference = await policyDifference(reader, {
      before: AS_RECORDED,
      after,
      exact: true,
    });
    const records = await recordsOf(reader);
    const intents = ofType(records, "execution.intent").length;
    const byPolicy = ofType(records, "execution.refused").filter(({ body }) => /^FEMTO_POLICY_/.test(body.error.code));
    const denied = byPolicy.length;
    const asked = ofType(records, "approval.asked").length;
    expect(difference).toMatchObject({ calls: intents + denied + asked, changed: 0, groups: [], undecidable: [] });
    expect(ofType(records, "execution.intent").filter(({ body }) => body.approval !== undefined)).not.toEqual([]);
    expect(asked).toBeGreaterThan(3);
    expect(intents).toBeGreaterThan(20);
    expect(denied).toBeGreaterThan(20);
    expect(difference.never_decided).toBeGreaterThanOrEqual(TABLES.length * 12 * 2);
    expect(new Set(ofType(records, "policy.activated").map(({ body }) => body.revision)).size).toBe(TABLES.length);
    expect(runtime.policy.rules.every(({ reason }) => reason !== "")).toBe(true);
  });

  it("an export says the same, with its values and without", async () => {
    await runtime.checkpoint();
    const folder = join(home.root, "log");
    await exportTiles(reader, folder);
    await exportValues(reader, reader.size, folder);
    await using exported = await TilesReader.open(folder);
    const after = await RecordedJudge.open("");
    const difference = await policyDifference(exported, {
      before: AS_RECORDED,
      after,
      exact: true,
    });
    expect(difference).toMatchObject({ changed: 0, undecidable: [] });
  });

  it("a call whose policy's record lies before what is looked at is not decided", async () => {
    const [intent] = ofType(await recordsOf(reader), "execution.intent").toReversed();
    const after = await RecordedJudge.open("");
    const difference = await policyDifference(reader, { before: AS_RECORDED, after, since: intent?.seq ?? 0 });
    expect(difference).toMatchObject({ calls: 0, changed: 0 });
    expect(difference.undecidable).toMatchObject([{ reason: "the record of its policy is not there" }]);
  });
});

describe("under a candidate", () => {
  it("what changes is grouped by verdict, tool and rules, with examples", async () => {
    const candidate = { allow: { read: ["workspace/notes"], write: ["workspace/secrets"] } };
    const after = await judgeUnder(home, candidate, ["fs_read", "fs_write"]);
    const { groups, calls, changed, undecidable } = await policyDifference(reader, { before: AS_RECORDED, after });
    expect(undecidable).toEqual([]);
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(changed);
    expect(changed).toBeLessThan(calls);
    const opened = groups.filter(({ now, tool }) => now === "allowed" && tool === "fs_write");
    expect(opened.every(({ now_rules }) => now_rules[0] === "toml/allow.write/1")).toBe(true);
    expect(opened.map(({ was_code }) => was_code).sort()).toEqual(["FEMTO_POLICY_FORBIDDEN", "FEMTO_POLICY_NO_PERMIT"]);
    const listing = groups.filter(({ tool }) => tool === "fs_list");
    expect(listing.map(({ now_code }) => now_code)).toEqual(listing.map(() => "FEMTO_CAPABILITY_DISABLED"));
    for (const { examples, count } of groups) expect(examples).toHaveLength(Math.min(count, 3));
  });

  it("the same policy changes nothing of what was decided under it", async () => {
    const last = TABLES.at(-1) ?? {};
    const after = await judgeUnder(home, last, ["fs_read", "fs_write", "fs_list"]);
    const [activation] = ofType(await recordsOf(reader), "policy.activated").toReversed();
    const since = activation?.seq ?? 0;
    const difference = await policyDifference(reader, { before: AS_RECORDED, after, since, exact: true });
    expect(difference.calls).toBeGreaterThanOrEqual(12 * 5);
    expect(difference.changed).toBe(0);
  });
});

describe("what was decided about one call", () => {
  it("is found by record, by the record of its outcome and by its execution, with the policy in force", async () => {
    const records = await recordsOf(reader);
    const activations = ofType(records, "policy.activated");
    for (const outcome of [ofType(records, "execution.outcome")[0], ofType(records, "execution.outcome").at(-1)]) {
      const found = await recordedDecision(reader, String(outcome?.seq));
      expect(found.record.seq).toBe(outcome?.body.intent);
      expect(found.policy?.revision).toBe(found.record.body.revision);
      expect(await recordedDecision(reader, outcome?.execution ?? "")).toEqual(found);
    }
    const refused = ofType(records, "execution.refused").find(({ body }) => body.event === "denied");
    const found = await recordedDecision(reader, String(refused?.seq));
    // With the schema and the rules, which stand beside a record that they are too large for.
    const [first] = activations;
    if (first === undefined) throw new Error("no policy came into force");
    expect(found).toEqual({ record: refused, policy: (await wholeRecord(reader, first)).body });
  });

  it.each(["0", "999999", "no-such-execution", "9".repeat(16)])("is refused for %s, which is none", async (ref) => {
    await expect(recordedDecision(reader, ref)).rejects.toMatchObject({ code: "FEMTO_EXECUTION_NOT_FOUND" });
  });
});
