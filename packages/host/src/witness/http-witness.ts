/**
 * A witness on the network, by C2SP tlog-witness. It may lie, stall, redirect or send without end, so nothing in its
 * answer counts except what its key signed and what the log can prove.
 */
import { findCosignature, formatAddCheckpoint, type NoteVerifier, parseHeldSize } from "@femtoclaw/journal";
import { errorText } from "@femtoclaw/protocol";
import type { CheckpointOffer, Witness, WitnessAnswer } from "@femtoclaw/runtime";

/** LIMIT: bytes of one answer; a signature line has about a hundred and fifty. */
const ANSWER_BYTES_MAX = 65_536;

interface Answer {
  readonly status: number;
  readonly body: string;
}

export class HttpWitness implements Witness {
  readonly kind = "http";
  readonly name: string;
  readonly #url: string;
  readonly #verifier: NoteVerifier;

  constructor(name: string, url: string, verifier: NoteVerifier) {
    this.name = name;
    this.#url = `${url}/add-checkpoint`;
    this.#verifier = verifier;
  }

  async take(offer: CheckpointOffer): Promise<WitnessAnswer> {
    const first = await this.#ask(offer, offer.knownSize);
    if (first.status !== 409) return this.#judge(offer, first);
    const heldSize = parseHeldSize(first.body);
    if (heldSize === null) return failure("it answered 409 without saying what it holds");
    const { size } = offer.checkpoint;
    if (heldSize > size)
      return contradiction(`it holds ${heldSize} records, and the log ${size}: the log was rolled back`);
    if (heldSize < offer.knownSize) {
      return contradiction(`it says that it holds ${heldSize} records, and cosigned ${offer.knownSize} before`);
    }
    const second = await this.#ask(offer, heldSize);
    if (second.status === 409 && heldSize === size) return contradiction(`it holds another tree of ${size} records`);
    return this.#judge(offer, second);
  }

  #judge({ note }: CheckpointOffer, { status, body }: Answer): WitnessAnswer {
    switch (status) {
      case 200: {
        const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
        const cosignature = findCosignature(text, body, this.#verifier);
        if (cosignature === null) return failure("its answer is not signed by its key");
        return { taken: true, note: note + cosignature.line };
      }
      case 403:
        return failure(
          "it does not accept the key that signed the checkpoint: give it the key of `femtoclaw keys show`",
        );
      case 404:
        return failure("it does not know this log: give it the key of `femtoclaw keys show`");
      case 422:
        return contradiction("it holds records that this log does not continue");
      default:
        return failure(`it answered with status ${status}`);
    }
  }

  async #ask({ note, prove, signal }: CheckpointOffer, oldSize: number): Promise<Answer> {
    const body = formatAddCheckpoint({ oldSize, proof: await prove(oldSize), note });
    try {
      // A redirect is treated like any other answer, because following it would send the log wherever a liar wants.
      const response = await fetch(this.#url, { method: "POST", body, redirect: "manual", signal });
      return { status: response.status, body: await boundedText(response) };
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? `: ${errorText(error.cause)}` : "";
      throw new Error(`it could not be asked: ${errorText(error)}${cause}`, { cause: error });
    }
  }
}

/** Leaving the loop early ends the connection, so nothing more is received. */
async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > ANSWER_BYTES_MAX) throw new Error(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function failure(reason: string): WitnessAnswer {
  return { taken: false, contradicts: false, reason };
}

function contradiction(reason: string): WitnessAnswer {
  return { taken: false, contradicts: true, reason };
}
