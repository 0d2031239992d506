import { describe, expect, it } from "vitest";
import { crc32c, maskedCrc32c } from "../src/store/leveldb/crc32c.ts";

/** RFC 3720, B.4, and LevelDB's own tests. */
describe("crc32c", () => {
  it.each([
    [Buffer.from("123456789"), 0xe3069283],
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, byte) => byte)), 0x46dd794e],
    [Buffer.from(Array.from({ length: 32 }, (_, byte) => 31 - byte)), 0x113fdb5c],
    [Buffer.alloc(0), 0],
  ])("knows %o", (bytes, expected) => expect(crc32c(bytes)).toBe(expected));

  it("gives the same in one piece and in any two, at any alignment", () => {
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, index) => (index * 37) & 0xff)).subarray(3);
    const whole = crc32c(bytes);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(whole);
      expect(crc32c(Buffer.from(bytes.subarray(cut)))).toBe(crc32c(bytes, cut));
    }
  });

  it("masks as LevelDB does", () => expect(maskedCrc32c(0)).toBe(0xa282ead8));
});
