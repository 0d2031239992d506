/** What surrounds the body of an answer on its way, to which no limit of the body applies. */
import type { Socket } from "node:net";
import { FemtoError } from "@femtoclaw/protocol";

/** LIMIT: bytes of an answer that do not belong to its body: headers, earlier answers, and what surrounds chunks. */
const WRAPPING_BYTES = 1_048_576;
/** Further bytes for each byte of the body, the byte itself included; a chunk of a single one takes six. */
const WRAPPING_PER_BYTE = 8;

/**
 * INVARIANT: I9: a server that sends without ever coming to an answer is not listened to for as long as the call may
 * take.
 */
export class Wrapping {
  #bodyBytes = 0;

  /** Ends the connection once it has carried more than that. */
  watch(socket: Socket): void {
    socket.on("readable", () => {
      if (socket.bytesRead <= WRAPPING_BYTES + WRAPPING_PER_BYTE * this.#bodyBytes) return;
      const reason = `the answer has more than ${WRAPPING_BYTES} bytes that are none of its body`;
      socket.destroy(new FemtoError("FEMTO_FETCH_TOO_LARGE", reason));
    });
  }

  /** Passes the body on, and counts its bytes. */
  async *taken(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of pieces) {
      this.#bodyBytes += piece.byteLength;
      yield piece;
    }
  }
}
