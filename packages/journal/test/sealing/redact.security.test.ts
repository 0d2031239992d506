/** Secrets in every place that a record has for foreign text; hostile text must cost no more than honest text. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Salts } from "../../src/sealing/commitments.ts";
import { redact, textWithoutSecrets } from "../../src/sealing/redact.ts";
import { type SealableEntry, seal } from "../../src/sealing/seal.ts";
import { mayHoldSecret } from "../../src/sealing/secret-patterns.ts";
import { MACHINES } from "../journal-fixture.ts";

const key = (label: string): string =>
  `-----BEGIN ${label}PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END ${label}PRIVATE KEY-----`;

/** Rule, a text around the secret, and the secret itself. Made up, in the form of the real ones. */
const CORPUS: readonly (readonly [rule: string, text: string, secret: string])[] = [
  ["private-key", `before ${key("")} after`, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"],
  ["private-key", key("OPENSSH "), "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"],
  ["private-key", key("EC ").slice(0, 60), "MIIEvQIBADANB"],
  ["private-key", `secret="${key("").replace("-----\n", '-----"\n')}`, "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"],
  ["aws-key", "id AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"],
  ["github-token", `Cloning with ghp_${"a1B2".repeat(9)}`, `ghp_${"a1B2".repeat(9)}`],
  ["github-token", `github_pat_${"a1B2_".repeat(9)}`, `github_pat_${"a1B2_".repeat(9)}`],
  ["gitlab-token", "(glpat-aaaaBBBB1111-2222cccc)", "glpat-aaaaBBBB1111-2222cccc"],
  ["slack-token", "xoxb-1234567890-abcdefghij", "xoxb-1234567890-abcdefghij"],
  ["api-key", `sk-ant-api03-${"Zz9_".repeat(8)}`, `sk-ant-api03-${"Zz9_".repeat(8)}`],
  ["api-key", "sk_live_0123456789abcdef", "sk_live_0123456789abcdef"],
  ["api-key", `AIza${"Sy_9-".repeat(7)}`, `AIza${"Sy_9-".repeat(7)}`],
  ["hugging-face-token", `HF=hf_${"aB3dE".repeat(7)}`, `hf_${"aB3dE".repeat(7)}`],
  ["npm-token", `//registry/:_auth npm_${"aB3d".repeat(9)}`, `npm_${"aB3d".repeat(9)}`],
  ["json-web-token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "eyJzdWIiOiIxMjM0In0"],
  ["authorization", "Authorization: Bearer abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"],
  ["authorization", "curl -H 'authorization: basic dXNlcjpwYXNzd29yZA=='", "dXNlcjpwYXNzd29yZA=="],
  ["url-password", "postgres://app:correct-horse@db.internal/x", "correct-horse"],
  ["url-password", "redis://:correct-horse@cache.internal:6379/0", "correct-horse"],
  ["assignment", "DB_PASSWORD=hunter2-hunter2\n", "hunter2-hunter2"],
  ["assignment", 'api_key: "0123456789abcdef"', "0123456789abcdef"],
  ["assignment", `{"client_secret":"s3cr3t-s3cr3t"}`, "s3cr3t-s3cr3t"],
  ["assignment", 'password: "two words"', "words"],
  ["assignment", "db.Passphrase = 'correct horse; battery (staple), and $more' # note", "staple"],
  ["assignment", `{"client_secret": "with \\"quotes\\" in it"}`, "quotes"],
  ["assignment", `token = "${"ab ".repeat(42)}"`, "ab ab"],
  ["assignment", "--token=abcdef0123456789", "abcdef0123456789"],
];

const RULE_LARGE = "padding ".repeat(1_000);

describe("a secret", () => {
  it.each(CORPUS)("of the form %s goes from %j", (rule, text, secret) => {
    const { value, redactions } = redact({ args: { deep: [{ text }] } });
    expect(JSON.stringify(value)).not.toContain(secret);
    expect(redactions).toContainEqual({ path: "/args/deep/0/text", rule });
    expect(mayHoldSecret(JSON.stringify({ text }))).toBe(true);
    expect(textWithoutSecrets([text])).not.toContain(secret);
  });

  it.each(CORPUS)(
    "of the form %s stands in no byte that is stored, however large its text is: %j",
    (_, text, secret) => {
      for (const around of ["", RULE_LARGE]) {
        const entry: SealableEntry = {
          type: "message.recorded",
          session: null,
          execution: null,
          body: { content: `${around}${text}${around}` },
        };
        const frame = { v: 1, seq: 1, at: "", mono_us: 0, boot: "b", machine: MACHINES.execution } as const;
        const { bytes, blobs, record } = seal(frame, entry, {
          salts: new Salts((count) => Buffer.alloc(count, 1)),
          keepsValues: true,
        });
        expect(Buffer.concat([bytes, ...blobs.map((blob) => blob.bytes)]).includes(secret)).toBe(false);
        expect(record.redactions?.length).toBeGreaterThan(0);
      }
    },
  );

  it("behind the name of one goes whatever it looks like", () => {
    const value = { PASSWORD: "a b", accessToken: "x", "api-key": "y", tokens: 3, nested: { note: ["not", "text"] } };
    expect(redact(value).value).toEqual({
      ...value,
      PASSWORD: "[redacted]",
      accessToken: "[redacted]",
      "api-key": "[redacted]",
    });
    expect(redact(["--user", "me", "--password", "p w", "-token", "t", "password", "stays"]).value).toEqual([
      "--user",
      "me",
      "--password",
      "[redacted]",
      "-token",
      "[redacted]",
      "password",
      "stays",
    ]);
    const within = { Secret: ["a", ["b", 1], { note: "c" }], credentials: { user: "d", more: { of: "e", is: true } } };
    expect(redact(within).value).toEqual({
      Secret: ["[redacted]", ["[redacted]", 1], { note: "[redacted]" }],
      credentials: { user: "[redacted]", more: { of: "[redacted]", is: true } },
    });
    expect(redact(["--token", ["a"], ["stays"]]).value).toEqual(["--token", ["[redacted]"], ["stays"]]);
    for (const [name, value] of Object.entries(within)) {
      expect(mayHoldSecret(JSON.stringify({ [name]: value })), name).toBe(true);
    }
    for (const text of ['{"password":"a b"}', '["--password","p w"]']) expect(mayHoldSecret(text), text).toBe(true);
  });

  it("that is the name of a member goes, and the member stays", () => {
    const [one, two] = [`ghp_${"a1B2".repeat(9)}`, `ghp_${"c3D4".repeat(9)}`];
    const { value, redactions } = redact({ [one]: 1, [two]: { [one]: "x" }, "[redacted:github-token]": 3 }, [
      { path: `/${two}/${one}`, rule: "x-secret" },
    ]);
    expect(value).toEqual({
      "[redacted:github-token] 2": 1,
      "[redacted:github-token] 3": { "[redacted:github-token]": "[redacted]" },
      "[redacted:github-token]": 3,
    });
    expect(JSON.stringify(redactions)).not.toMatch(/ghp_/);
    expect(redactions).toHaveLength(4);
  });

  it("that is the name of each of many members costs a look or two for each, and not one for each pair of them", () => {
    const names = Array.from({ length: 2_000 }, (_, at) => `ghp_${"a1B2".repeat(9)}${String(at).padStart(6, "0")}`);
    let looks = 0;
    const members = new Proxy(Object.fromEntries(names.map((name) => [name, 1])), {
      getOwnPropertyDescriptor: (target, name) => {
        looks += 1;
        return Reflect.getOwnPropertyDescriptor(target, name);
      },
    });
    const kept = Object.keys(redact(members).value);
    expect([kept[0], kept[1], kept.at(-1)]).toEqual([
      "[redacted:github-token]",
      "[redacted:github-token] 2",
      "[redacted:github-token] 2000",
    ]);
    expect(looks).toBeLessThan(4 * names.length);
  });

  it("far below a name without end is told of, and its place is not", () => {
    const [long, token] = ["/~".repeat(50_000), `ghp_${"a1B2".repeat(9)}`];
    const { value, redactions } = redact({ args: { [long]: Array(2_000).fill(token), near: token } });
    expect(value.args["near"]).toBe("[redacted:github-token]");
    expect(new Set(value.args[long])).toEqual(new Set(["[redacted:github-token]"]));
    expect(redactions).toHaveLength(2_001);
    expect(redactions.at(-1)).toEqual({ path: "/args/near", rule: "github-token" });
    // All of them together are what would stop the host: each was as long as the name.
    expect(redactions.reduce((sum, { path }) => sum + path.length, 0)).toBeLessThan(2_001 * 2_048);
    const marked = redact({ args: { [long]: { key: 1, other: 2 } } }, [
      { path: `/args/${long.replaceAll("~", "~0").replaceAll("/", "~1")}/key`, rule: "x-secret" },
    ]);
    expect(marked.value).toEqual({ args: { [long]: { key: "[redacted]", other: 2 } } });
  });

  it.each(CORPUS)("of the form %s goes from text that was not parsed: %j", (_, text, secret) => {
    for (const before of ["", "\n", "\t"]) {
      const raw = JSON.stringify({ content: `${before}${text}` });
      expect(redact(raw).value).not.toContain(JSON.stringify(secret).slice(1, -1));
      expect(redact(JSON.stringify({ raw })).value).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });

  it("is looked for whatever white space and escapes stand around its name", () => {
    for (const gap of ["\t", "\n", "\u000b", "\r\n", " \f ", '"\t']) {
      const [text, url] = [`password${gap}=hunter2-hunter2`, `https://me:${"\u0001".repeat(100)}@host`];
      for (const hidden of [text, url]) expect(mayHoldSecret(JSON.stringify({ hidden })), hidden).toBe(true);
      expect(textWithoutSecrets([text])).not.toContain("hunter2");
    }
  });

  it("that is marked goes with everything in it", () => {
    const { value, redactions } = redact({ args: { key: { a: 1 }, other: 2 } }, [
      { path: "/args/key", rule: "x-secret" },
    ]);
    expect(value).toEqual({ args: { key: "[redacted]", other: 2 } });
    expect(redactions).toEqual([{ path: "/args/key", rule: "x-secret" }]);
  });

  it("is not seen in ordinary text", () => {
    const ordinary = [
      "const token = getToken(); // tokens are counted",
      "The password is asked for interactively.",
      "https://example.com:8080/path?tokens=3",
      "user@example.com and ssh://git@example.com/x.git",
      "a basic idea, a bearer of news",
      "task-force sk-1 AKIA npm_install",
      'the password: "<two words>", token="$TOKEN and more"',
      "password=$PASSWORD secret=$(cat file) token=<TOKEN>",
    ];
    for (const text of ordinary) expect(redact({ text }).redactions, text).toEqual([]);
  });

  it("is found by the quick test wherever the thorough one finds it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CORPUS), fc.string(), fc.string(), ([, text], before, after) => {
        const value = { a: `${before}${text}${after}` };
        if (redact(value).redactions.length > 0) expect(mayHoldSecret(JSON.stringify(value))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("behind a name is found by the quick test whatever kind of value stands there, and around it", () => {
    const name = fc.constantFrom("has_read_secret", "password", "Token", "credentials", "note", 'secret"', "secret\\");
    const text = fc.constantFrom(
      "x y",
      "true",
      "",
      '":1',
      'token":true',
      "secret",
      "--token",
      "password: hunter2-hunter2",
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        text,
        fc.constantFrom<unknown>(true, false, null, 7),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(name, tie("value"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, (any) => {
        for (const held of [any, { raw: JSON.stringify(any) }]) {
          if (redact(held).redactions.length > 0) expect(mayHoldSecret(JSON.stringify(held))).toBe(true);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it("is not looked for behind the name of a fact that is true or false", () => {
    expect(mayHoldSecret(JSON.stringify({ history: { has_read_secret: false, has_seen_untrusted: true } }))).toBe(
      false,
    );
  });
});

describe("hostile text", () => {
  const mib = (piece: string): string => piece.repeat(Math.ceil(1_048_576 / piece.length));
  const pieces = [
    "eyJ",
    "eyJaaaaaaaaaaaa.",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN A ",
    "://a:",
    "://",
    "password=",
    "password='\t",
    "secrettokenpassword",
    'password="',
    "password='\\\"secret=\\\\'",
    'secret="secret=\\"',
    'token="a b',
    "Bearer ",
    "bearer\t\t\t\t",
    "sk-",
    "ghp_",
    "AKIA",
    "a@b:c",
    '\\\\\\"',
    "token:token:",
    "A_-",
  ];

  // A pattern that is not linear takes hours for one of these; the time limit of the test ends it.
  it.each(pieces)("of %j costs no more than honest text", (piece) => {
    const text = mib(piece);
    const { value } = redact({ text, both: `x${text}` });
    expect(() => [redact(value), mayHoldSecret(JSON.stringify({ text }))]).not.toThrow();
  });
});
