/** Whoever speaks at the other end of the one descriptor may be any program of the sandbox. */
import { type Duplex, duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { FRAME, frame, WINDOW_BYTES } from "../src/relay/frames.ts";
import { RelayChannel } from "../src/relay/relay-channel.ts";

const NOTHING = Buffer.alloc(0);
const open = (id: number): Buffer => frame(FRAME.open, id, NOTHING);
const data = (id: number, bytes: number): Buffer => frame(FRAME.data, id, Buffer.alloc(bytes, "x"));
const credit = (id: number, bytes: number): Buffer => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(FRAME.window, id, payload);
};

/** A channel with the other end in the test's hands. */
function channel(serve: (connection: Duplex) => void = () => undefined) {
  const [inner, outer] = duplexPair();
  const connections: Duplex[] = [];
  const relay = new RelayChannel(outer, (connection) => {
    connections.push(connection);
    serve(connection);
  });
  const answered: Buffer[] = [];
  return { inner, outer, relay, connections, answered, hear: () => inner.on("data", (piece) => answered.push(piece)) };
}

async function say(inner: Duplex, ...frames: readonly Buffer[]): Promise<void> {
  inner.write(Buffer.concat(frames));
  for (let round = 0; round < 5; round += 1) await turn();
}

describe("a relay that is none", () => {
  const full = Array.from({ length: WINDOW_BYTES / 16_384 }, () => data(1, 16_384));
  it.each<[string, Buffer[]]>([
    ["a frame of no known type", [frame(9, 1, NOTHING)]],
    ["data of a connection that was never opened", [data(1, 4)]],
    ["the connection 0", [open(0)]],
    ["a number twice", [open(1), open(1)]],
    ["a number too far", [open(2)]],
    ["an opening with a payload", [frame(FRAME.open, 1, Buffer.from("x"))]],
    ["an end with a payload", [open(1), frame(FRAME.end, 1, Buffer.from("x"))]],
    ["a payload that is too long", [open(1), frame(FRAME.data, 1, Buffer.alloc(16_385))]],
    ["more than its window", [open(1), ...full, data(1, 1)]],
    ["data after the end", [open(1), frame(FRAME.end, 1, NOTHING), data(1, 1)]],
    ["credit that it never had to give", [open(1), credit(1, 1)]],
    ["credit of a wrong size", [open(1), frame(FRAME.window, 1, Buffer.from("x"))]],
  ])("says %s, and has no way out any more", async (_what, frames) => {
    const { inner, outer, connections } = channel();
    await say(inner, ...frames);
    expect(outer.destroyed).toBe(true);
    expect(connections.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it("has no way out any more after a frame whose answer closes it, whatever follows that frame", async () => {
    const { inner, outer, relay, connections } = channel(() => relay.destroy());
    await say(inner, open(1), open(2), data(2, 4));
    expect(outer.destroyed).toBe(true);
    expect(connections).toHaveLength(1);
  });

  it("is not served beyond so many connections at once, and so many in all", async () => {
    const { inner, outer, connections, answered, hear } = channel((connection) => connection.resume().end());
    hear();
    await say(inner, ...Array.from({ length: 70 }, (_, at) => open(at + 1)));
    expect(connections).toHaveLength(64);
    const resets = Buffer.concat(answered);
    expect(resets.includes(frame(FRAME.reset, 65, NOTHING))).toBe(true);
    await say(inner, ...Array.from({ length: 70 }, (_, at) => frame(FRAME.end, at + 1, NOTHING)));
    for (let id = 71; id <= 4_096; id += 1) await say(inner, open(id), frame(FRAME.reset, id, NOTHING));
    expect(outer.destroyed).toBe(false);
    await say(inner, open(4_097));
    expect(outer.destroyed).toBe(true);
  });

  it("that never reads holds no more memory than all windows have", async () => {
    const { inner, outer } = channel((connection) => connection.write(Buffer.alloc(1_000_000)));
    for (let id = 1; id <= 64; id += 1) await say(inner, open(id));
    expect(outer.writableLength).toBeLessThan(65 * WINDOW_BYTES);
    expect(outer.destroyed).toBe(false);
    for (let id = 65; id <= 4_096 && !outer.destroyed; id += 1) {
      await say(inner, frame(FRAME.reset, id - 64, NOTHING), open(id));
    }
    expect(outer.destroyed).toBe(true);
  });

  it("gets the bytes of each connection in order, cut as it likes", async () => {
    const heard: string[] = ["", ""];
    const { inner, connections } = channel();
    const bytes = Buffer.concat([open(1), open(2), frame(FRAME.data, 1, Buffer.from("one ")), data(2, 3)]);
    for (const byte of bytes) await say(inner, Buffer.from([byte]));
    await say(inner, frame(FRAME.data, 1, Buffer.from("two")), frame(FRAME.end, 1, NOTHING));
    for (const [at, connection] of connections.entries()) {
      connection.on("data", (piece) => {
        heard[at] += String(piece);
      });
    }
    await expect.poll(() => connections[0]?.readableEnded).toBe(true);
    expect(heard).toEqual(["one two", "xxx"]);
  });

  it("that cuts all into single bytes costs no more than the bytes", async () => {
    const { inner, connections } = channel();
    await say(inner, open(1), ...Array.from({ length: 50_000 }, () => data(1, 1)));
    let pieces = 0;
    let bytes = 0;
    connections[0]?.on("data", (piece: Buffer) => {
      pieces += 1;
      bytes += piece.length;
    });
    await expect.poll(() => bytes).toBe(50_000);
    expect(pieces).toBeLessThan(100);
  });
});
