/**
 * Terminals on which a program runs, folded from records: which ones there are, and that each record of a terminal is
 * in its place.
 */
import type { ActorSnapshot, TypedRecord } from "@femtoclaw/protocol";
import { corrupt } from "./execution-records.ts";
import { stateOf, TERMINALS } from "./holders.ts";

export interface OpenTerminal {
  /** The record of its opening. */
  readonly opened: number;
  readonly session: string | null;
  readonly boot: string;
  readonly program: string;
}

interface TerminalsState {
  readonly open: Readonly<Record<string, OpenTerminal>>;
}

type TerminalRecord = TypedRecord & { readonly type: "terminal.opened" | "terminal.recorded" | "terminal.closed" };

export class OpenTerminals {
  readonly #open: Map<string, OpenTerminal>;

  constructor({ open }: TerminalsState = { open: {} }) {
    this.#open = new Map(Object.entries(open));
  }

  /** Logs of versions that knew no terminals have none in their snapshots. */
  static stored(actors: Readonly<Record<string, ActorSnapshot>>): OpenTerminals {
    if (actors["terminals"] === undefined) return new OpenTerminals();
    return new OpenTerminals(structuredClone(stateOf(actors, "terminals", TERMINALS)) as TerminalsState);
  }

  get open(): ReadonlyMap<string, OpenTerminal> {
    return new Map(this.#open);
  }

  get state(): TerminalsState {
    return { open: Object.fromEntries(this.#open) };
  }

  apply(record: TerminalRecord): void {
    const { terminal } = record.body;
    const known = this.#open.get(terminal);
    if (record.type === "terminal.opened") {
      if (known !== undefined) throw corrupt(record, `terminal ${terminal} is open already`);
      const { seq, session, boot, body } = record;
      this.#open.set(terminal, { opened: seq, session, boot, program: body.program });
      return;
    }
    if (known === undefined) throw corrupt(record, `no terminal ${terminal} is open`);
    if (record.session !== known.session) throw corrupt(record, `its terminal is of session ${known.session}`);
    if (record.type === "terminal.recorded") return;
    if (record.body.opened !== known.opened) throw corrupt(record, `its terminal was opened by record ${known.opened}`);
    this.#open.delete(terminal);
  }
}
