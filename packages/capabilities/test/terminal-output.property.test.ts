import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Scroll } from "../src/terminal/scroll.ts";
import { UnreadOutput } from "../src/terminal/unread-output.ts";

const TAKE = { latest: false, isWhole: false };

describe("output that waits for its reader", () => {
  it("comes whole and in order, wherever it was cut and however much is taken", () => {
    const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 20 });
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 }), (parts, cut, bytesMax) => {
        const all = Buffer.from(parts.join(""));
        const output = new UnreadOutput();
        let text = "";
        for (let at = 0; at < all.length; at += cut) {
          output.append(all.subarray(at, at + cut));
          text += output.take(bytesMax, TAKE).text;
        }
        while (output.bytes > 0) text += output.take(bytesMax, { latest: false, isWhole: true }).text;
        expect(text).toBe(parts.join(""));
      }),
    );
  });

  it("drops what is older than the newest bytes, at the beginning of a character, and counts it", () => {
    const output = new UnreadOutput();
    output.append(Buffer.from("a🦊bcd"));
    expect(output.take(5, { latest: true, isWhole: true })).toEqual({ text: "bcd", bytes: 3, dropped: 5, left: 0 });
    expect(output.take(5, TAKE)).toEqual({ text: "", bytes: 0, dropped: 0, left: 0 });
  });

  it("keeps what comes in small pieces in one, and no piece", () => {
    const output = new UnreadOutput();
    const piece = Buffer.alloc(1);
    for (const byte of Buffer.from("byte by byte")) {
      piece.fill(byte);
      output.append(piece);
    }
    piece.fill(0);
    expect(output.take(100, TAKE)).toEqual({ text: "byte by byte", bytes: 12, dropped: 0, left: 0 });
  });

  it("keeps half a character for its other half, and gives out what never was one", () => {
    const output = new UnreadOutput();
    output.append(Buffer.from([0x61, 0xf0, 0x9f]));
    expect(output.take(100, TAKE)).toMatchObject({ text: "a", left: 2 });
    output.append(Buffer.from([0xa6, 0x8a]));
    expect(output.take(100, TAKE)).toMatchObject({ text: "🦊", left: 0 });
    output.append(Buffer.from([0xff, 0xfe, 0x80, 0x80, 0x80, 0x80]));
    expect(output.take(100, TAKE)).toMatchObject({ bytes: 6, left: 0 });
    output.append(Buffer.from([0xf0, 0x9f]));
    expect(output.take(100, { latest: false, isWhole: true })).toMatchObject({ bytes: 2, left: 0 });
  });
});

describe("the newest output, for who looks in", () => {
  it("goes on from any place, and says what is not kept any more", () => {
    const scroll = new Scroll(4);
    scroll.append(Buffer.from("abc"));
    scroll.append(Buffer.from("defg"));
    expect(scroll.from(0)).toEqual({ data: Buffer.from("defg"), next: 7, missed: 3 });
    expect(scroll.from(6)).toEqual({ data: Buffer.from("g"), next: 7, missed: 0 });
    expect(scroll.from(99)).toEqual({ data: Buffer.alloc(0), next: 7, missed: 0 });
  });

  it("is what was appended, as far as it is kept, in whatever pieces it came", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 40 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 12 }), fc.nat({ max: 200 }), (parts, bytesMax, place) => {
        const scroll = new Scroll(bytesMax);
        for (const part of parts) scroll.append(Buffer.from(part));
        const all = Buffer.concat(parts);
        const oldest = Math.max(0, all.length - bytesMax);
        const start = Math.min(Math.max(place, oldest), all.length);
        expect(scroll.from(place)).toEqual({
          data: all.subarray(start),
          next: all.length,
          missed: Math.max(0, start - place),
        });
      }),
    );
  });

  it("wakes who waits for more, and lets go whose time is over", async () => {
    const scroll = new Scroll(4);
    const over = new AbortController();
    const order: string[] = [];
    const woken = scroll.more(new AbortController().signal).then(() => order.push("woken"));
    const ended = scroll.more(over.signal).then(() => order.push("let go"));
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    over.abort();
    await ended;
    await new Promise(setImmediate);
    expect(order).toEqual(["let go"]);
    scroll.append(Buffer.from("x"));
    await woken;
  });
});
