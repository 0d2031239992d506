/** What an answer is wrapped in on its way, which no limit of its body is about. */
import type { Socket } from "node:net";
import { FemtoError } from "@femtoclaw/protocol";

/** LIMIT: bytes of an answer that are none of its body: headers, answers before it, what stands around chunks. */
const WRAPPING_BYTES = 1_048_576;
/** The same for each byte of the body; a chunk of a single one takes six. */
const WRAPPING_PER_BYTE = 8;

/** INVARIANT: I9: who sends what is no answer, and never comes to one, is not listened to for the time of the call. */
export class Wrapping {
  #bodyBytes = 0;

  /** Ends the connection once it has carried more. */
  watch(socket: Socket): void {
    socket.on("readable", () => {
      if (socket.bytesRead <= WRAPPING_BYTES + WRAPPING_PER_BYTE * this.#bodyBytes) return;
      const reason = `the answer has more than ${WRAPPING_BYTES} bytes that are none of its body`;
      socket.destroy(new FemtoError("FEMTO_FETCH_TOO_LARGE", reason));
    });
  }

  /** The body, counted as it is taken. */
  async *taken(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of pieces) {
      this.#bodyBytes += piece.byteLength;
      yield piece;
    }
  }
}
