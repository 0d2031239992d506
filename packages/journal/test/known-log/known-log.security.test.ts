/** A log is held to what was seen of it: it goes on with proof, or it is refused, whatever it answers. */
import { FemtoError, type LogContinuation, type LogStep } from "@femtoclaw/protocol";
import { describe, expect, test } from "vitest";
import { followLog, type KnownLog, openKnownLog } from "../../src/known-log/known-log.ts";
import { formatCheckpoint } from "../../src/tree/checkpoint.ts";
import { noteSigner, signNote } from "../../src/tree/signed-note.ts";
import { ShownLog } from "./shown-log.ts";

const sizeOf = (known: KnownLog): number => {
  const state = openKnownLog(known);
  if (typeof state === "string") throw new Error(state);
  return state.size;
};

/** Takes the answer, which must hold. */
function taken(known: KnownLog | null, answer: unknown): KnownLog {
  const followed = followLog(known, answer);
  if (!followed.ok) throw new Error(followed.reason);
  return followed.known;
}

const meet = async (log: ShownLog, known: KnownLog | null = null): Promise<KnownLog> =>
  taken(known, await log.show(known === null ? null : sizeOf(known)));

const reasonOf = (known: KnownLog | null, answer: unknown): string => {
  const followed = followLog(known, answer);
  return followed.ok ? "taken" : followed.reason;
};

describe("a log that goes on", () => {
  test("is followed from every size to every later one, also to itself", async () => {
    const log = await ShownLog.open();
    const seen: KnownLog[] = [await meet(log)];
    for (const records of [1, 1, 2, 3, 5, 250, 1, 300]) {
      await log.grow(records);
      seen.push(await meet(log));
    }
    for (const known of seen) expect(sizeOf(await meet(log, known))).toBe(log.journal.size);
  });

  test("is followed over changes of the key, one, two and more than one answer holds", async () => {
    const log = await ShownLog.open();
    let known = await meet(log);
    const first = known;
    for (const rotations of [1, 2]) {
      for (let count = 0; count < rotations; count += 1) {
        await log.grow(3);
        await log.journal.rotateKey();
      }
      await log.grow(1);
      known = await meet(log, known);
      expect(known.key).not.toBe(first.key);
    }
    for (let count = 0; count < 33; count += 1) await log.journal.rotateKey();
    const part = followLog(known, await log.show(sizeOf(known)));
    expect(part).toMatchObject({ ok: true, complete: false });
    expect(part.ok && followLog(part.known, await log.show(sizeOf(part.known)))).toMatchObject({ complete: true });
    // Who has seen nothing follows the keys from the first one, after which the log is named.
    expect(followLog(null, await log.show(null))).toMatchObject({ ok: true, known: { firstKey: first.firstKey } });
  });
});

describe("a log that does not go on", () => {
  test("proves nothing from a size that it never signed, and from no size at all", async () => {
    const log = await ShownLog.open();
    await log.grow(3);
    await expect(log.show(log.journal.size + 1)).rejects.toThrow(FemtoError);
    await expect(log.show(2 ** 53 - 1)).rejects.toThrow(FemtoError);
  });

  test("is refused as an older copy, as a fork, and as another log", async () => {
    const log = await ShownLog.open();
    await log.grow(5);
    await log.journal.checkpoint();
    const older = log.copy();
    await log.grow(5);
    const known = await meet(log);
    const rolledBack = await ShownLog.open(older, log.keyring);
    expect(reasonOf(known, await rolledBack.show(null))).toMatch(/newest checkpoint covers 6 records/);
    for (const [records, content] of [
      [5, "other"],
      [50, "content"],
    ] as const) {
      await rolledBack.grow(records, content);
      const from = rolledBack.journal.size >= sizeOf(known) ? sizeOf(known) : null;
      expect(reasonOf(known, await rolledBack.show(from))).toMatch(/do not begin with those that were seen/);
    }
    const other = await ShownLog.open();
    await other.grow(20);
    expect(reasonOf(known, await other.show(sizeOf(known)))).toMatch(/another log/);
  });

  test("is refused with each hash, note and record of its proof changed", async () => {
    const log = await ShownLog.open();
    await log.grow(6);
    const known = await meet(log);
    await log.grow(3);
    await log.journal.rotateKey();
    await log.grow(4);
    const answer = await log.show(sizeOf(known));
    expect(reasonOf(known, answer)).toBe("taken");
    let changes = 0;
    const visit = (at: unknown): void => {
      if (typeof at !== "object" || at === null) return;
      const fields = at as Record<string, unknown>;
      for (const [name, value] of Object.entries(fields)) {
        if (typeof value === "string") {
          // The last characters of a note are the unknown part of nobody's signature; each signature here is known.
          for (const place of [0, Math.floor(value.length / 2)]) {
            fields[name] = value.slice(0, place) + (value[place] === "A" ? "B" : "A") + value.slice(place + 1);
            changes += 1;
            expect(reasonOf(known, answer), `${name} at ${place}`).not.toBe("taken");
          }
        } else if (typeof value === "number") {
          fields[name] = value + 1;
          expect(reasonOf(known, answer)).not.toBe("taken");
        } else if (Array.isArray(value) && value.length > 0) {
          fields[name] = value.slice(1);
          if (name !== "steps") expect(reasonOf(known, answer), name).not.toBe("taken");
        }
        fields[name] = value;
        visit(value);
      }
    };
    visit(answer);
    expect(changes).toBeGreaterThan(10);
    expect(reasonOf(known, answer)).toBe("taken");
  });

  test("is refused when its proof is no proof", async () => {
    const known = await meet(await ShownLog.open());
    const step = { checkpoint: "", consistency: [] };
    const answers = [null, 7, "x", [], {}, { first_key: "", steps: [] }, { first_key: known.firstKey, steps: [] }];
    const steps = [
      null,
      {},
      { ...step, consistency: [1] },
      { ...step, rotation: null },
      { ...step, rotation: {} },
      step,
    ];
    for (const answer of [...answers, ...steps.map((each) => ({ first_key: known.firstKey, steps: [each] }))]) {
      expect(reasonOf(known, answer)).not.toBe("taken");
      expect(reasonOf(null, answer)).not.toBe("taken");
    }
  });
});

describe("a change of the key", () => {
  /** A log with one change of its key, and what somebody has seen before it. */
  async function rotated(): Promise<{ log: ShownLog; known: KnownLog; answer: LogContinuation; bridge: LogStep }> {
    const log = await ShownLog.open();
    await log.grow(2);
    const known = await meet(log);
    await log.journal.rotateKey();
    await log.grow(2);
    const answer = await log.show(sizeOf(known));
    const [bridge] = answer.steps;
    if (bridge === undefined) throw new Error("there is no bridge");
    return { log, known, answer, bridge };
  }

  test("counts only with the old key's signature beside the new one's, over the record that names it", async () => {
    const { known, answer, bridge } = await rotated();
    const [, ...later] = answer.steps;
    const lines = bridge.checkpoint.split("\n");
    const without = (index: number): string => lines.filter((_, at) => at !== index).join("\n");
    // Three lines, an empty one, then the signatures: the new key's and the old key's.
    for (const index of [4, 5]) {
      const steps = [{ ...bridge, checkpoint: without(index) }, ...later];
      expect(reasonOf(known, { ...answer, steps })).toMatch(/has not signed it/);
    }
    const { rotation: _rotation, ...unnamed } = bridge;
    expect(reasonOf(known, { ...answer, steps: [unnamed, ...later] })).toMatch(/has not signed it/);
    expect(reasonOf(known, { ...answer, steps: later })).toMatch(/has not signed it/);
  });

  test("to a stranger's key is refused, though he signs beside the old key and keeps its signature", async () => {
    const { known, answer, bridge } = await rotated();
    const stranger = await ShownLog.open();
    const key = await stranger.keyring.current();
    if (key === null || bridge.rotation === undefined) throw new Error("the log has no key");
    const origin = openKnownLog(known);
    if (typeof origin === "string") throw new Error(origin);
    const signer = noteSigner(origin.origin, key);
    const text = bridge.checkpoint.slice(0, bridge.checkpoint.lastIndexOf("\n\n") + 1);
    const strangers = signNote(text, [signer]).slice(text.length + 1);
    const record = JSON.parse(Buffer.from(bridge.rotation.record, "base64").toString()) as { body: { vkey: string } };
    record.body.vkey = `${origin.origin}+${signer.keyId.toString("hex")}+${record.body.vkey.split("+")[2]}`;
    const forged = Buffer.from(JSON.stringify(record)).toString("base64");
    for (const rotation of [bridge.rotation, { ...bridge.rotation, record: forged }]) {
      const step = { ...bridge, checkpoint: bridge.checkpoint + strangers, rotation };
      const end = { checkpoint: signNote(text, [signer]), consistency: [] };
      expect(reasonOf(known, { ...answer, steps: [step, end] })).not.toBe("taken");
    }
  });

  test("leaves the retired key nothing to sign for who has seen it", async () => {
    const log = await ShownLog.open();
    await log.grow(2);
    const stolen = await log.keyring.current();
    if (stolen === null) throw new Error("the log has no key");
    const before = await meet(log);
    await log.journal.rotateKey();
    const known = await meet(log, before);
    const state = openKnownLog(known);
    if (typeof state === "string") throw new Error(state);
    const note = signNote(formatCheckpoint(state), [noteSigner(state.origin, stolen)]);
    const answer = { first_key: known.firstKey, steps: [{ checkpoint: note, consistency: [] }] };
    expect(reasonOf(known, answer)).toMatch(/has not signed it/);
  });
});

test("a checkpoint of nothing says nothing at first sight", async () => {
  const log = await ShownLog.open();
  const known = await meet(log);
  const key = await log.keyring.current();
  const state = openKnownLog(known);
  if (key === null || typeof state === "string") throw new Error("the log has no key");
  const checkpoint = signNote(formatCheckpoint({ ...state, size: 0 }), [noteSigner(state.origin, key)]);
  expect(reasonOf(null, { first_key: known.firstKey, steps: [{ checkpoint, consistency: [] }] })).toMatch(/covers 0/);
});
