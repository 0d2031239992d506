/**
 * Gives every checkpoint to the witnesses, so that a journal that is rolled back contradicts what others hold. This
 * works beside the journal: a failure here harms no record, and calls are refused only if witnesses are required.
 */
import {
  beginsWith,
  type Clock,
  type Journal,
  type KeyChain,
  proveConsistency,
  readKeyChain,
  WitnessedFolder,
} from "@femtoclaw/journal/live";
import { errorText, LIMITS } from "@femtoclaw/protocol";
import type { Problem } from "../gate/verdict.ts";
import type { LogEntry } from "../options.ts";
import { settled } from "../settled.ts";
import type { Witness, WitnessStatus } from "../witness-port.ts";
import { type SignedNote, WitnessAttendant } from "./witness-attendant.ts";

interface WitnessingOptions {
  readonly witnesses: readonly Witness[];
  readonly required: boolean;
  readonly stateDirectory: string;
  readonly journal: Journal;
  readonly clock: Clock;
  log(entry: LogEntry): void;
}

export class Witnessing {
  readonly #options: WitnessingOptions;
  readonly #attendants: readonly WitnessAttendant[];
  readonly #unsubscribe: () => void;

  private constructor(options: WitnessingOptions, attendants: readonly WitnessAttendant[]) {
    this.#options = options;
    this.#attendants = attendants;
    this.#unsubscribe =
      attendants.length === 0 ? () => undefined : options.journal.onCheckpoint((note) => void this.#notice(note));
  }

  /** If witnesses are required, waits for their first answers, whatever these are. */
  static async start(options: WitnessingOptions): Promise<Witnessing> {
    const { witnesses, required, journal } = options;
    const chain = await readKeyChain(journal);
    const folder = new WitnessedFolder(options.stateDirectory);
    const attendants = await Promise.all(witnesses.map((witness) => attend(witness, options, folder, chain)));
    const witnessing = new Witnessing(options, attendants);
    if (attendants.length > 0) {
      await witnessing.#notice(await journal.checkpoint());
      if (required) await witnessing.#hurry(LIMITS.witnessTimeoutMs);
    }
    return witnessing;
  }

  // INVARIANT: I7: if witnesses are required, nothing begins that a rollback could hide from all of them.
  /** Why no call is taken; null if the witnesses are up to date or not required. */
  get problem(): Problem | null {
    if (!this.#options.required) return null;
    const complaints = this.#attendants.flatMap(({ complaint }) => complaint ?? []);
    const reason = this.#attendants.length === 0 ? "witnesses are required and there is none" : complaints.join("; ");
    return reason === "" ? null : { code: "FEMTO_UNWITNESSED", reason };
  }

  get status(): readonly WitnessStatus[] {
    return this.#attendants.map(({ status }) => status);
  }

  /** Offers the last checkpoint, which covers everything that is durable now, and ends. */
  async stop(deadlineMs: number): Promise<void> {
    if (this.#attendants.length > 0) {
      try {
        await this.#notice(await this.#options.journal.checkpoint());
        await this.#hurry(deadlineMs);
      } catch (error) {
        this.#options.log({ level: "warn", event: "witness.stop", reason: errorText(error) });
      }
    }
    this.#unsubscribe();
    for (const attendant of this.#attendants) attendant.stop();
  }

  async #hurry(deadlineMs: number): Promise<void> {
    const attempts = Promise.all(this.#attendants.map((attendant) => attendant.hurry()));
    await settled(
      this.#options.clock,
      attempts.then(() => undefined),
      deadlineMs,
    );
  }

  async #notice(note: string): Promise<void> {
    try {
      const checkpoint = (await readKeyChain(this.#options.journal)).openCheckpoint(note);
      if (typeof checkpoint === "string") throw new Error(checkpoint);
      for (const attendant of this.#attendants) attendant.notice({ note, checkpoint });
    } catch (error) {
      this.#options.log({ level: "error", event: "witness.checkpoint", reason: errorText(error) });
    }
  }
}

async function attend(
  witness: Witness,
  { journal, clock, required, log }: WitnessingOptions,
  folder: WitnessedFolder,
  chain: KeyChain,
): Promise<WitnessAttendant> {
  const { knownSize, contradiction } = await remembered(witness, journal, folder, chain);
  return new WitnessAttendant({
    witness,
    required,
    clock,
    knownSize,
    contradiction,
    offer: async ({ note, checkpoint }: SignedNote, known, signal) => {
      const keys = await readKeyChain(journal);
      return {
        note,
        checkpoint,
        knownSize: known,
        open: (held) => keys.openCheckpoint(held),
        prove: (heldSize) => proveConsistency(journal, heldSize, checkpoint.size),
        signal,
      };
    },
    keep: (note) => folder.write(witness.name, note),
    log,
  });
}

/** What the witness took before this start, and whether this log still continues from it. */
async function remembered(
  { name }: Witness,
  journal: Journal,
  folder: WitnessedFolder,
  chain: KeyChain,
): Promise<{ readonly knownSize: number; readonly contradiction: string | null }> {
  const note = await folder.read(name);
  if (note === null) return { knownSize: 0, contradiction: null };
  const checkpoint = chain.openCheckpoint(note);
  const contradiction = (why: string) => ({
    knownSize: 0,
    contradiction: `${why}; \`femtoclaw audit verify\` tells more. If the log is another one on purpose, remove witnessed/${name}.checkpoint from the state directory`,
  });
  if (typeof checkpoint === "string") return contradiction(`what it took before is not of this log: ${checkpoint}`);
  const { size } = checkpoint;
  if (size > journal.size) return contradiction(`it took ${size} records before, and the log holds ${journal.size}`);
  if (await beginsWith(journal, checkpoint)) return { knownSize: size, contradiction: null };
  return contradiction(`the first ${size} records are not those that it took before`);
}
