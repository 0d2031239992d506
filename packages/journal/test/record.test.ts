import { FemtoError, LIMITS, type TypedRecord } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { decodeRecord, encodeRecord, UtcFormat } from "../src/records/record.ts";
import { MACHINES } from "./journal-fixture.ts";

const record: TypedRecord = {
  v: 1,
  seq: 7,
  at: "2026-01-02T03:04:05.000006Z",
  mono_us: 12,
  boot: "boot-1",
  type: "message.recorded",
  actor: null,
  session: "session-1",
  execution: null,
  machine: MACHINES.execution,
  body: { content: 'ünï "quoted" \u0000 😀 \\ud800' },
};

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe("encodeRecord", () => {
  it("writes the fixed order, whatever order the record has", () => {
    const shuffled = Object.fromEntries(Object.entries(record).reverse()) as unknown as TypedRecord;
    const text = encodeRecord(shuffled).toString();
    expect(text).toBe(JSON.stringify(record));
    expect(text.startsWith('{"v":1,"seq":7,"at":"2026-01-02T03:04:05.000006Z","mono_us":12,"boot":"boot-1",')).toBe(
      true,
    );
    expect(decodeRecord(Buffer.from(text))).toEqual(record);
  });

  it.each(["\ud800", "a\udfff", "\\\ud800", "\\\\\udbffx"])("refuses the lone surrogate in %j", (content) => {
    expect(() => encodeRecord({ ...record, type: "message.recorded", body: { content } })).toThrow(
      expect.objectContaining({ code: "FEMTO_PROTOCOL_TEXT" }),
    );
  });

  it.each(["\\ud800", "\\\\ud800", "😀\\udfff"])("stores text that only looks like one: %j", (content) => {
    const written: TypedRecord = { ...record, type: "message.recorded", body: { content } };
    expect(decodeRecord(encodeRecord(written))).toEqual(written);
  });

  it("refuses one byte more than the limit", () => {
    const sized = (length: number): TypedRecord => ({
      ...record,
      type: "message.recorded",
      body: { content: "x".repeat(length) },
    });
    const overhead = encodeRecord(sized(0)).byteLength;
    expect(encodeRecord(sized(LIMITS.recordBytes - overhead)).byteLength).toBe(LIMITS.recordBytes);
    expect(() => encodeRecord(sized(LIMITS.recordBytes - overhead + 1))).toThrow(
      expect.objectContaining({ code: "FEMTO_JOURNAL_RECORD_TOO_LARGE" }),
    );
  });
});

describe("decodeRecord", () => {
  it.each([0, 2, 99, -1, 0.5])("says of format %s that it does not know it", (v) => {
    expect(() => decodeRecord(bytesOf({ ...record, v }))).toThrow(
      expect.objectContaining({ code: "FEMTO_JOURNAL_FORMAT" }),
    );
  });

  it.each([
    ["no JSON", Buffer.from("{")],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
    ["a byte order mark", Buffer.from("\ufeff{}")],
    ["null", bytesOf(null)],
    ["no format", bytesOf({ ...record, v: undefined })],
    ["a format in words", bytesOf({ ...record, v: "1" })],
    ["an unknown type", bytesOf({ ...record, type: "execution.allowed" })],
    ["another type's body", bytesOf({ ...record, type: "session.closed" })],
    ["a field too many", bytesOf({ ...record, extra: 1 })],
    ["a negative number", bytesOf({ ...record, seq: -1 })],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeRecord(bytes)).toThrow(FemtoError);
    expect(() => decodeRecord(bytes)).toThrow(expect.objectContaining({ code: "FEMTO_JOURNAL_CORRUPT" }));
  });
});

describe("UtcFormat", () => {
  const utc = new UtcFormat();

  it.each([
    [0, "1970-01-01T00:00:00.000000Z"],
    [1, "1970-01-01T00:00:00.000001Z"],
    [1_700_000_000_999_999, "2023-11-14T22:13:20.999999Z"],
    [1_700_000_001_000_000, "2023-11-14T22:13:21.000000Z"],
    [1_700_000_000_000_020, "2023-11-14T22:13:20.000020Z"],
  ])("writes %d as %s", (epochUs, expected) => expect(utc.format(epochUs)).toBe(expected));
});
