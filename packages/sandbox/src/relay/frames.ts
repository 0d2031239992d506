/** The format of the frames between relay and host; relay.js, which can import nothing of ours, has the same. */

export const FRAME = { open: 1, data: 2, end: 3, reset: 4, window: 5 } as const;

/** Type, number of the connection, length of the payload. */
export const HEADER_BYTES = 7;

/** LIMIT: bytes of one payload, so that connections take turns. */
export const PIECE_BYTES = 16_384;

/** LIMIT: bytes in flight per connection and direction, so that a reader that stops holds up nobody else. */
export const WINDOW_BYTES = 262_144;

export function frame(type: number, id: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeUInt32BE(id, 1);
  header.writeUInt16BE(payload.length, 5);
  return Buffer.concat([header, payload]);
}
