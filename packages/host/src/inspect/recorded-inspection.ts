/** Answers the requests of the page from a log that is not written to any more, and from what is known about it. */
import type { Answer, Beginning, Explained, Inspection, ProofView, Question, Verdict } from "@femtoclaw/inspector";
import { RecordPages } from "@femtoclaw/inspector";
import { checkProof, type LinesReader, type LogVerdict, prove, type ReplayReader } from "@femtoclaw/journal";
import { FemtoError, type RecordPage, VERSION } from "@femtoclaw/protocol";
import { recordedDecision } from "@femtoclaw/runtime/redecide";
import type { CommandContext } from "../commands/command-context.ts";
import { explained } from "./explained.ts";
import { proofView } from "./live-inspection.ts";

/** Milliseconds before an empty answer, so that a page that waits for more does not ask continuously. */
const WAIT_MS = 5_000;

const UNVERIFIED = "not verified";

/** What is known about a recording as a whole. */
export interface KnownRecording {
  /** Name of the log. */
  readonly log: string;
  /** The key to check its proofs with; null if there is none. */
  readonly vkey: string | null;
  readonly verdict: Verdict;
}

export class RecordedInspection implements Inspection {
  readonly #context: CommandContext;
  readonly #reader: ReplayReader;
  readonly #pages: RecordPages;
  readonly #known: KnownRecording;

  constructor(context: CommandContext, reader: ReplayReader, known: KnownRecording) {
    this.#context = context;
    this.#reader = reader;
    this.#pages = new RecordPages(reader);
    this.#known = known;
  }

  async begin(): Promise<Beginning> {
    const summary = await this.#pages.summary();
    const { log, verdict } = this.#known;
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
    const { vkey } = this.#known;
    if (vkey === null) throw new FemtoError("FEMTO_USAGE", "lines prove nothing; an export with `--format tiles` does");
    const proof = await prove(this.#reader, seq);
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

/** Takes what a verification has found out. */
export function verifiedRecording({ keys, verdict, size, signedSize, root, caveats }: LogVerdict): KnownRecording {
  const log = keys[0]?.vkey.split("+")[0] ?? "";
  return { log, vkey: keys.at(-1)?.vkey ?? "", verdict: { verdict, size, signedSize, root, caveats } };
}

/** For a file of lines, which cannot be verified; the page shows that in place of a verdict. */
export async function unverifiedRecording(lines: LinesReader): Promise<KnownRecording> {
  const { size, root, caveats } = lines;
  let log = "";
  for await (const record of lines.read(0, 1)) if (record.type === "log.created") log = record.body.origin;
  return { log, vkey: null, verdict: { verdict: UNVERIFIED, size, signedSize: 0, root, caveats } };
}
