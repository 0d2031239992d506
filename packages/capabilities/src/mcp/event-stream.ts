/** Server-sent events of an MCP server, one by one as they come: the data of each, within limits. */

const FIRST_BYTES = 65_536;
const END_OF_LINE = /\r\n|\n|\r/;
/** An empty line ends an event. */
const END_OF_EVENT = /\r\n\r\n|\n\n|\r\r/g;
/** Bytes of such an end that may have come with the piece before. */
const END_BYTES = 4;

/** Throws what `tooMuch` makes for an event of more bytes than are taken. */
export async function* eventsIn(
  pieces: AsyncIterable<Uint8Array>,
  bytesMax: number,
  tooMuch: () => Error,
): AsyncGenerator<Buffer, void, void> {
  // INVARIANT: I9: one buffer for all pieces, however small they are, and each byte is looked at once.
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
  // Some servers end with their last event, and not with the line that ends it.
  const data = dataOf(held.subarray(0, length));
  if (data.length > 0) yield data;
}

function dataOf(event: Buffer): Buffer {
  const lines = event.toString("latin1").split(END_OF_LINE);
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
  return Buffer.from(data.join("\n"), "latin1");
}
