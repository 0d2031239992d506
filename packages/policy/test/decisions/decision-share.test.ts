import { describe, expect, it } from "vitest";
import { DecisionShare } from "../../src/index.ts";

const DECISION = { allowed: true, rules: ["a"] } as const;
/** What one entry with this key costs, beside a limit of 32,768 for all. */
const cost = (key: string): number => 64 + key.length + 1;

describe("a share of remembered decisions", () => {
  it("has what was kept, and nothing else", () => {
    const share = new DecisionShare();
    const origin = {};
    share.keep(origin, "key", DECISION);
    expect(share.recall(origin, "key")).toBe(DECISION);
    expect(share.recall(origin, "keY")).toBeUndefined();
    expect(new DecisionShare().recall(origin, "key")).toBeUndefined();
  });

  it("forgets everything when the next revision or instance answers", () => {
    const share = new DecisionShare();
    const [first, second] = [{}, {}];
    share.keep(first, "key", DECISION);
    expect(share.recall(second, "key")).toBeUndefined();
    share.keep(second, "other", DECISION);
    expect(share.recall(first, "key")).toBeUndefined();
    expect(share.recall(second, "key")).toBeUndefined();
    expect(share.recall(second, "other")).toBe(DECISION);
  });

  it("drops what was not asked for the longest time when it is full", () => {
    const share = new DecisionShare();
    const origin = {};
    const key = (index: number) => `${index}`.padStart(8, "0");
    const fits = Math.floor(32_768 / cost(key(0)));
    for (let index = 0; index < fits; index += 1) share.keep(origin, key(index), DECISION);
    expect(share.recall(origin, key(0))).toBe(DECISION);
    share.keep(origin, key(fits), DECISION);
    expect(share.recall(origin, key(1))).toBeUndefined();
    for (const index of [0, 2, fits - 1, fits]) expect(share.recall(origin, key(index))).toBe(DECISION);
  });

  it("never holds more than its limit, whatever is kept", () => {
    const share = new DecisionShare();
    const origin = {};
    const keys = Array.from({ length: 5_000 }, (_, index) => `${index}${"x".repeat((index * 37) % 3_000)}`);
    for (const key of keys) share.keep(origin, key, DECISION);
    const held = keys.filter((key) => share.recall(origin, key) !== undefined);
    expect(held.length).toBeGreaterThan(10);
    expect(held.reduce((sum, key) => sum + cost(key), 0)).toBeLessThanOrEqual(32_768);
  });

  it("does not keep a decision that would take a large part of it", () => {
    const share = new DecisionShare();
    const origin = {};
    share.keep(origin, "small", DECISION);
    share.keep(origin, "x".repeat(4_096), DECISION);
    share.keep(origin, "many rules", { allowed: true, rules: Array.from({ length: 500 }, () => "toml/allow") });
    expect(share.recall(origin, "x".repeat(4_096))).toBeUndefined();
    expect(share.recall(origin, "many rules")).toBeUndefined();
    expect(share.recall(origin, "small")).toBe(DECISION);
  });
});
