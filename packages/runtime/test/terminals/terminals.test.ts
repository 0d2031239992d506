import type { Terminal, TerminalListener, TerminalRequest } from "@femtoclaw/capabilities";
import { type JournalEntry, systemClock } from "@femtoclaw/journal";
import { FemtoError, LIMITS } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import type { Execution } from "../../src/gate/execution.ts";
import { Terminals, type TerminalsParts } from "../../src/terminals/terminals.ts";
import { eventually } from "./terminal-fixture.ts";

/** A terminal whose program does as the test says. */
class PlayedTerminal {
  readonly size = { cols: 80, rows: 24 };
  readonly bytesIn = 0;
  readonly bytesOut = 5;
  readonly unreadBytes = 0;
  end: { exitCode: number | null; signal: string | null } | null = null;
  listener: TerminalListener | null = null;
  readonly #ended = Promise.withResolvers<{ exitCode: number | null; signal: string | null }>();
  readonly whenEnded = this.#ended.promise;

  listen(listener: TerminalListener): void {
    this.listener = listener;
  }

  kill(): void {
    this.end ??= { exitCode: null, signal: "SIGKILL" };
    this.#ended.resolve(this.end);
  }

  hangUp(): void {
    this.kill();
  }
}

class Place {
  readonly records: JournalEntry[] = [];
  readonly terminals: Terminals;
  refused: string | null = null;
  #seq = 0;

  constructor(parts: Partial<TerminalsParts> = {}) {
    this.terminals = new Terminals({
      clock: systemClock(),
      settings: { recordInput: false, idleMs: 60_000, totalMs: 60_000 },
      append: async (entry) => {
        if (entry.type === this.refused) throw new FemtoError("FEMTO_JOURNAL_OVERLOADED", "the disk has stalled");
        this.records.push(entry);
        this.#seq += 1;
        return { seq: this.#seq };
      },
      record: (entry) => void this.records.push(entry),
      hasRoom: () => true,
      isOpen: () => true,
      halted: () => null,
      forbidden: () => null,
      isEnabled: () => true,
      standing: () => STANDING,
      ...parts,
    });
  }

  async open(id: string, session = "s"): Promise<PlayedTerminal> {
    const terminal = new PlayedTerminal();
    const execution = { ...EXECUTION, id, session } as unknown as Execution;
    const start = async () => terminal as unknown as Terminal;
    await this.terminals.keeper(execution).open({} as TerminalRequest, start);
    return terminal;
  }

  closed(terminal: string) {
    return this.records.find((entry) => entry.type === "terminal.closed" && entry.body.terminal === terminal);
  }
}

const STANDING = { sandbox: null } as ReturnType<TerminalsParts["standing"]>;
const EXECUTION = {
  actor: { principal: "default" },
  facts: { questions: [{ kind: "program", program: "/usr/bin/cat" }] },
  standing: STANDING,
  bytes: new Uint8Array(1_000),
  bound: { all: [] },
  call: { tool: "terminal_open", args: { argv: ["a long word"] } },
  quota: { spend: () => undefined },
  abort: new AbortController(),
  approval: null,
};

describe("the terminals of a runtime", () => {
  it("are so many and no more, of all sessions together as of one", async () => {
    const place = new Place();
    const opened = Array.from({ length: LIMITS.terminals }, (_, n) => place.open(`t${n}`, `s${n}`));
    const [first] = await Promise.all(opened);
    await expect(place.open("more", "another")).rejects.toMatchObject({ code: "FEMTO_TERMINAL_LIMIT" });
    first?.kill();
    await place.open("more", "another");
  });

  it("keep nothing of the call that opened them that can be large", async () => {
    const kept: Execution[] = [];
    const forbidden = (opening: Execution): null => {
      kept.push(opening);
      return null;
    };
    const place = new Place({ forbidden });
    await place.open("t");
    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({ call: { tool: "terminal_open", args: {} }, bound: null });
    expect(kept[0]?.bytes).toHaveLength(0);
  });

  it("go on where the journal takes no more of what they show, and say how much it lacks", async () => {
    const place = new Place();
    const terminal = await place.open("t");
    place.refused = "terminal.recorded";
    terminal.listener?.onOutput("lost\n");
    await new Promise((resolve) => setTimeout(resolve, LIMITS.terminalRecordMs + 100));
    terminal.kill();
    const closed = await eventually(() => place.closed("t"));
    expect(closed.body).toMatchObject({ why: "exited", unrecorded: 5 });
  });

  it("do not stand without their first record", async () => {
    const place = new Place();
    place.refused = "terminal.opened";
    await expect(place.open("t")).rejects.toMatchObject({ code: "FEMTO_JOURNAL_OVERLOADED" });
    expect(place.terminals.list()).toEqual([]);
  });

  it("are ended at once where anything has changed while they started", async () => {
    for (const [why, parts] of [
      ["halted", { halted: () => ({ code: "FEMTO_SESSION_HALTED", reason: "an operator said so" }) }],
      ["policy", { forbidden: () => "a rule forbids it" }],
      ["policy", { isEnabled: () => false }],
      ["policy", { standing: () => ({ sandbox: { mounts: [] } }) as unknown as typeof STANDING }],
    ] as const satisfies (readonly [string, Partial<TerminalsParts>])[]) {
      const place = new Place(parts);
      await expect(place.open("t")).rejects.toMatchObject({ code: "FEMTO_CAPABILITY_CANCELLED" });
      expect((await eventually(() => place.closed("t"))).body).toMatchObject({ why });
      expect(place.terminals.list()).toEqual([]);
    }
  });

  it("begin no more once the host stops", async () => {
    const place = new Place();
    await place.open("t");
    await place.terminals.stop("the host stopped");
    expect(place.closed("t")?.body).toMatchObject({ why: "stopped", reason: "the host stopped" });
    await expect(place.open("more")).rejects.toMatchObject({ code: "FEMTO_CAPABILITY_CANCELLED" });
  });
});
