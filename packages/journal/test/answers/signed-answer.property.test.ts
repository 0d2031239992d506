/** Signed answers: what was signed is what is read, and nothing else is read at all. */
import { verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerReason, openAnswer, parseOperatorKey } from "../../src/index.ts";
import { operator, STATEMENT, type Statement } from "./operators-fixture.ts";

const alice = operator("alice");
const bob = operator("bob@example.com");
const BOTH = [alice.vkey, bob.vkey];

const time = fc
  .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());
const statements: fc.Arbitrary<Statement> = fc.record({
  log: fc.stringMatching(/^[a-z0-9./]{1,64}$/),
  question: fc.nat({ max: 2 ** 40 }),
  digest: fc.stringMatching(/^[0-9a-f]{64}$/),
  answer: fc.constantFrom("granted", "refused"),
  scope: fc.constantFrom("once", "session"),
  signedAt: time,
  expiresAt: time,
  reason: fc.oneof(
    fc.constant(null),
    fc.string({ unit: "binary", maxLength: 1_200 }).map((text) => answerReason(text)),
  ),
});

describe("a signed answer", () => {
  it("is read as it was signed, whatever it says, and names who signed it", () => {
    fc.assert(
      fc.property(statements, fc.constantFrom(alice, bob), (statement, by) => {
        const opened = openAnswer(by.sign(statement), BOTH);
        expect(opened).toMatchObject({ statement: { ...statement, operator: by.name }, vkey: by.vkey });
      }),
      { numRuns: 200 },
    );
  });

  it("is nothing once a character of it is another, is gone or was added", () => {
    const note = alice.sign({ ...STATEMENT, reason: "it is fine" });
    fc.assert(
      fc.property(
        fc.nat({ max: note.length - 1 }),
        fc.constantFrom(0, 1),
        fc.string({ unit: "binary", maxLength: 2 }),
        (at, taken, put) => {
          const edited = note.slice(0, at) + put + note.slice(at + taken);
          if (edited !== note) expect(openAnswer(edited, BOTH)).toBeTypeOf("string");
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("is nothing without the key that signed it", () => {
    const stranger = operator("alice");
    expect(openAnswer(stranger.sign(STATEMENT), BOTH)).toContain("no operator in force");
    expect(openAnswer(alice.sign(STATEMENT), [])).toContain("no operator in force");
    expect(openAnswer(alice.sign(STATEMENT), [bob.vkey])).toContain("no operator in force");
    // The text names bob, and alice has signed it.
    const [text = "", signature = ""] = alice.sign(STATEMENT).split("\n\n");
    expect(
      openAnswer(`${text.replace("operator alice", "operator bob@example.com")}\n\n${signature}`, BOTH),
    ).toBeTypeOf("string");
    const renamed = signature.replace("alice", "bob@example.com");
    expect(openAnswer(`${text.replace("operator alice", "operator bob@example.com")}\n\n${renamed}`, BOTH)).toBeTypeOf(
      "string",
    );
  });

  it("is verified with nothing but the text, the key and Ed25519", () => {
    const note = alice.sign(STATEMENT);
    const end = note.lastIndexOf("\n\n");
    const signature = Buffer.from(note.slice(end).trim().split(" ")[2] ?? "", "base64").subarray(4);
    const key = parseOperatorKey(alice.vkey)?.publicKey;
    expect(key !== undefined && verify(null, Buffer.from(note.slice(0, end + 1)), key, signature)).toBe(true);
  });
});
