import type { ActorSnapshot, TypedRecord } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { TERMINALS } from "../../src/projection/holders.ts";
import { OpenTerminals } from "../../src/projection/open-terminals.ts";

type TerminalRecord = Parameters<OpenTerminals["apply"]>[0];

function record(
  seq: number,
  type: TerminalRecord["type"],
  body: Readonly<Record<string, unknown>>,
  session = "s",
): TerminalRecord {
  const frame = { v: 1, seq, at: "2026-01-01T00:00:00.000000Z", mono_us: seq, boot: "b", type, actor: null, session };
  return { ...frame, execution: null, machine: {}, body: { terminal: "t", ...body } } as unknown as TerminalRecord;
}

const opened = (seq: number) => record(seq, "terminal.opened", { program: "/usr/bin/cat" });
const shown = (seq: number, session?: string) => record(seq, "terminal.recorded", { text: "", marks: [] }, session);
const closed = (seq: number, of: number) => record(seq, "terminal.closed", { opened: of });

function folded(...records: readonly TypedRecord[]): OpenTerminals {
  const terminals = new OpenTerminals();
  for (const one of records) terminals.apply(one as TerminalRecord);
  return terminals;
}

describe("terminals, folded from records", () => {
  it("are open from their first record to their last", () => {
    const open = { opened: 3, session: "s", boot: "b", program: "/usr/bin/cat" };
    expect([...folded(opened(3), shown(4)).open]).toEqual([["t", open]]);
    expect(folded(opened(3), shown(4), closed(5, 3)).open.size).toBe(0);
    expect([...folded(opened(3), closed(5, 3), opened(6)).open.values()]).toEqual([{ ...open, opened: 6 }]);
  });

  it.each([
    ["opened twice", [opened(3), opened(4)]],
    ["shown before it was opened", [shown(3)]],
    ["shown after it was closed", [opened(3), closed(4, 3), shown(5)]],
    ["closed twice", [opened(3), closed(4, 3), closed(5, 3)]],
    ["closed as another one", [opened(3), closed(4, 2)]],
    ["of two sessions", [opened(3), shown(4, "other")]],
  ])("contradict each other when one is %s", (_, records) => {
    expect(() => folded(...records)).toThrow(/^record \d+/);
  });

  it("go on from a snapshot, and from one of a version that knew none", () => {
    const actor: ActorSnapshot = { ...TERMINALS, state: { ...folded(opened(3)).state } };
    const stored = OpenTerminals.stored({ terminals: actor });
    stored.apply(closed(9, 3));
    expect(stored.open.size).toBe(0);
    expect(OpenTerminals.stored({}).open.size).toBe(0);
    expect(() => OpenTerminals.stored({ terminals: { ...actor, version: "2" } })).toThrow(/version 2/);
  });
});
