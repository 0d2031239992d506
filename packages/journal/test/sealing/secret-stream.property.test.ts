/** Output that is shown while it comes: what is shown is what the record will hold, wherever the pieces were cut. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { redact, SecretStream } from "../../src/index.ts";

/** What secrets are made of, and what stands around them. */
const FRAGMENTS = [
  ..."  \n\r\t\\\"'`,;(){}<>$@:=/.-_|[]aZ9",
  ...[
    "password",
    "TOKEN",
    "api_key",
    "secret",
    "private_key",
    "credentials",
    "Bearer ",
    "basic\n",
    "\\n",
    "\\t",
    '\\"',
  ],
  ...['password="', "token: '", 'secret=\\"', "two words", "x ".repeat(60), "a\\"],
  ...["= ", ": ", ' : "', "=>", "()", "://", "https://user:", "pa,ss@host", "hunter22", "abcdef", "A".repeat(20)],
  ...["ghp_", `ghp_${"a1".repeat(20)}`, "AKIA", `AKIA${"B2".repeat(8)}`, "sk-", "sk_live_0123456789", "glpat-", "npm_"],
  ...["eyJ", "eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "xoxb-0123456789", "AIza", "github_pat_", "c".repeat(40)],
  ...["-----", "-----BEGIN ", "RSA ", "PRIVATE KEY", " BLOCK", "-----END ", "-----BEGIN PRIVATE KEY-----", "EC "],
  ...[
    "-----END PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----\nMIIB",
    "line\nline\n",
    "MIIBVQ==\n".repeat(20),
    "é",
    "🙂",
  ],
];

const text = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }).map((parts) => parts.join(""));

function streamed(whole: string, cuts: readonly number[]): string {
  const stream = new SecretStream();
  const places = [0, ...[...cuts].map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  const shown = places.slice(1).map((place, index) => stream.push(whole.slice(places[index], place)));
  return shown.join("") + stream.end();
}

test("pieces give together what the whole gives", () => {
  fc.assert(
    fc.property(text, fc.array(fc.nat(), { maxLength: 12 }), (whole, cuts) => {
      expect(streamed(whole, cuts)).toBe(redact(whole).value);
    }),
    { numRuns: 3_000 },
  );
});

test.each([
  'https://user:password=" RSA  "@',
  'https://user:password=" RSA  "@host',
  "https://user:-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----@host",
])("pieces of %j do so too, where taking one secret out makes another one", (whole) => {
  for (let cut = 0; cut <= whole.length; cut += 1) expect(streamed(whole, [cut])).toBe(redact(whole).value);
});

test("so do single characters, and at no moment more is shown than that", () => {
  fc.assert(
    fc.property(text, (whole) => {
      const stream = new SecretStream();
      const expected = redact(whole).value;
      let shown = "";
      for (const unit of whole.split("")) {
        shown += stream.push(unit);
        expect(expected.startsWith(shown)).toBe(true);
      }
      expect(shown + stream.end()).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test("ordinary lines are shown at once, also one that is not whole", () => {
  const stream = new SecretStream();
  expect(stream.push("compiling\nlinking (3 of 9) ")).toBe("compiling\nlinking (3 of 9) ");
  expect(stream.push("45%\r")).toBe("45%\r");
  expect(stream.push("Continue? [y/N] ")).toBe("Continue? [y/N] ");
});

test("a word that is too long is not shown, nor is what goes on from it", () => {
  const stream = new SecretStream();
  const secret = `ghp_${"a".repeat(3_000)}`;
  const shown = [`begin ${secret}`, secret, "aaaa=token", "  = hunter22hunter22 end\n"].map((piece) =>
    stream.push(piece),
  );
  const all = shown.join("") + stream.end();
  expect(all).toMatch(/^begin \[6\d{3} characters without a break are not shown\] end\n$/);
});

test("a key behind a long word is not shown, wherever it is cut, and what follows it is", () => {
  const body = "MIIBVQIBADANBgkqhkiG9w0BAQEF\n".repeat(400);
  const key = `-----BEGIN PRIVATE KEY-----\n${body}-----END PRIVATE KEY-----\n`;
  const whole = `${"x".repeat(9_000)}${key}after\n`;
  for (let size = 1; size < 60; size += 19) {
    const stream = new SecretStream();
    let all = "";
    for (let at = 0; at < whole.length; at += size) all += stream.push(whole.slice(at, at + size));
    all += stream.end();
    expect(all).not.toContain("MIIB");
    expect(all.endsWith("after\n")).toBe(true);
  }
});

test("what is held has a limit, whatever comes", () => {
  const stream = new SecretStream();
  for (let count = 0; count < 200; count += 1) stream.push("secret: ".repeat(100));
  expect(stream.end().length).toBeLessThan(10_000);
});

test.each(['password="', "token='", "https://token=(", "Bearer ,"])(
  "a long text of %j takes no longer than any other",
  (piece) => {
    const stream = new SecretStream();
    // Where each word is looked for from its end to its beginning anew, this takes hours; the time limit ends it.
    const shown = stream.push(piece.repeat(200_000)) + stream.end();
    expect(shown).not.toBe("");
  },
);

test.each(['token="a ', "token = ", "bearer ", "token 'token \"token="])(
  "of %j in single characters, each has little looked at again of what is held",
  (piece) => {
    const whole = piece.repeat(200);
    const looked = vi.spyOn(RegExp.prototype, "exec");
    try {
      const stream = new SecretStream();
      for (const character of whole) stream.push(character);
      // For each character, the word that it is in, and some words before it: not all of some hundred words.
      expect(looked.mock.calls.length).toBeLessThan(100 * whole.length);
    } finally {
      looked.mockRestore();
    }
  },
);

test("single characters of words that are held together give what the whole gives", () => {
  const words = ["token=", "token", "'", '"', "= ", ": ", " ", "a", "bearer ", "://", "@", ";", "-----BEGIN ", "\n"];
  const more = ["PRIVATE KEY-----", "-----END -----", "hunter22hunter22", 'password="', "\\n", "user:"];
  const chained = fc.array(fc.constantFrom(...words, ...more), { maxLength: 60 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(chained, (whole) => {
      const stream = new SecretStream();
      expect([...whole].map((one) => stream.push(one)).join("") + stream.end()).toBe(redact(whole).value);
    }),
    { numRuns: 1_000 },
  );
});
