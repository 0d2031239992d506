/** What the page asks, answered by a log that nobody writes any more, and that was verified before. */
import type {
  Answer,
  Beginning,
  Explained,
  Inspection,
  ProofView,
  Question,
  RecordPage,
  Verdict,
} from "@femtoclaw/inspector";
import { RecordPages } from "@femtoclaw/inspector";
import { checkProof, type LogVerdict, prove, type ReplayReader } from "@femtoclaw/journal";
import { FemtoError, VERSION } from "@femtoclaw/protocol";
import { recordedDecision } from "@femtoclaw/runtime";
import type { CommandContext } from "../commands/command-context.ts";
import { explained } from "./explained.ts";
import { proofView } from "./live-inspection.ts";

/** Pause before an empty answer, so that a page that waits for more does not ask all the time. */
const WAIT_MS = 5_000;

export class RecordedInspection implements Inspection {
  readonly #context: CommandContext;
  readonly #reader: ReplayReader;
  readonly #pages: RecordPages;
  readonly #verdict: LogVerdict;

  constructor(context: CommandContext, reader: ReplayReader, verdict: LogVerdict) {
    this.#context = context;
    this.#reader = reader;
    this.#pages = new RecordPages(reader);
    this.#verdict = verdict;
  }

  async begin(): Promise<Beginning> {
    const summary = await this.#pages.summary();
    const [key] = this.#verdict.keys;
    const log = key?.vkey.split("+")[0] ?? "";
    const verdict = verdictView(this.#verdict);
    return { mode: "recording", log, version: VERSION, approve: false, summary, verdict };
  }

  async records(from: number): Promise<RecordPage> {
    if (from >= this.#reader.size) await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    return await this.#pages.from(from);
  }

  async status(): Promise<null> {
    return null;
  }

  async body(seq: number): Promise<Readonly<Record<string, unknown>> | null> {
    for await (const stored of this.#reader.read(seq, seq + 1)) {
      return (await this.#reader.withValues(stored)).record.body as Readonly<Record<string, unknown>>;
    }
    return null;
  }

  async explain(ref: string): Promise<Explained> {
    return await explained(this.#context, await recordedDecision(this.#reader, ref));
  }

  async prove(seq: number): Promise<ProofView | null> {
    const proof = await prove(this.#reader, seq);
    const vkey = this.#verdict.keys.at(-1)?.vkey ?? "";
    for await (const { bytes } of this.#reader.readStored(seq, seq + 1)) {
      return proofView(seq, checkProof({ proof, recordBytes: bytes, vkey }));
    }
    return null;
  }

  async questions(): Promise<readonly Question[]> {
    return [];
  }

  async answer(_answer: Answer): Promise<never> {
    throw new FemtoError("FEMTO_USAGE", "a recording takes no answers");
  }
}

function verdictView({ verdict, size, signedSize, root, caveats }: LogVerdict): Verdict {
  return { verdict, size, signedSize, root, caveats };
}
