/** The server-sent events of an MCP server: the data of each as it arrives, within limits. */

const FIRST_BYTES = 65_536;
const END_OF_LINE = /\r\n|\n|\r/;
/** An empty line ends an event. */
const END_OF_EVENT = /\r\n\r\n|\n\n|\r\r/g;
/** Length of the longest such end, part of which may have come with an earlier piece. */
const END_BYTES = 4;

/** Throws the error that `tooMuch` makes if an event has too many bytes. */
export async function* eventsIn(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax: number,
  tooMuch: () => Error,
): AsyncGenerator<Buffer, void, void> {
  // INVARIANT: I9: all pieces, however small, share one buffer, and each byte is examined once.
  let held = Buffer.alloc(Math.min(bytesMax, FIRST_BYTES));
  let length = 0;
  for await (const piece of pieces) {
    const seen = Math.max(0, length - END_BYTES + 1);
    if (length + piece.byteLength > held.length) {
      const larger = Buffer.alloc(Math.max(length + piece.byteLength, 2 * held.length));
      held.copy(larger, 0, 0, length);
      held = larger;
    }
    held.set(piece, length);
    length += piece.byteLength;
    let start = 0;
    for (const { index, 0: end } of held.toString("latin1", seen, length).matchAll(END_OF_EVENT)) {
      const data = dataOf(held.subarray(start, seen + index));
      start = seen + index + end.length;
      if (data.length > 0) yield data;
    }
    held.copyWithin(0, start, length);
    length -= start;
    if (length > bytesMax) throw tooMuch();
  }
  // Some servers close the stream without the empty line that ends the last event.
  const data = dataOf(held.subarray(0, length));
  if (data.length > 0) yield data;
}

function dataOf(event: Buffer): Buffer {
  const lines = event.toString("latin1").split(END_OF_LINE);
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
  return Buffer.from(data.join("\n"), "latin1");
}
