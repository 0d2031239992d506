/** Policies of files decide as a plain reading of them does, and no text at all opens or breaks anything. */
import type { PathQuestion } from "@femtoclaw/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePolicy, confinedAuthority } from "../../src/index.ts";
import { authorityOf, MANIFESTS, pathFacts, testEngine } from "../policy-fixture.ts";
import { load, shareTrial } from "./files-fixture.ts";

shareTrial();

/** A condition as text, and what it means. */
interface Condition {
  readonly text: string;
  holds(question: PathQuestion): boolean;
}

const FOLDERS = ["/", "/ws", "/ws/out", "/srv"];
const isWithin = (path: string, folder: string) => folder === "/" || path === folder || path.startsWith(`${folder}/`);

const leaf = fc.oneof(
  fc.constantFrom(...FOLDERS).map(
    (folder): Condition => ({
      text: `resource in Path::"${folder}"`,
      holds: ({ path }) => isWithin(path, folder),
    }),
  ),
  fc.uniqueArray(fc.constantFrom(...FOLDERS), { minLength: 1 }).map(
    (folders): Condition => ({
      text: `resource in [${folders.map((folder) => `Path::"${folder}"`).join(", ")}]`,
      holds: ({ path }) => folders.some((folder) => isWithin(path, folder)),
    }),
  ),
  fc.constantFrom(...FOLDERS).map(
    (folder): Condition => ({
      text: `resource == Path::"${folder}"`,
      holds: ({ path }) => path === folder,
    }),
  ),
  fc.constant<Condition>({ text: "context.exists", holds: ({ exists }) => exists }),
  fc.integer({ min: 0, max: 3 }).map(
    (bytes): Condition => ({
      text: `context.bytes + 1 > ${bytes}`,
      holds: (question) => question.bytes + 1 > bytes,
    }),
  ),
);

const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    tie("condition").map(
      ({ text, holds }): Condition => ({ text: `!(${text})`, holds: (question) => !holds(question) }),
    ),
    fc.tuple(tie("condition"), tie("condition"), fc.constantFrom("&&", "||")).map(
      ([a, b, operator]): Condition => ({
        text: `(${a.text}) ${operator} (${b.text})`,
        holds: (question) =>
          operator === "&&" ? a.holds(question) && b.holds(question) : a.holds(question) || b.holds(question),
      }),
    ),
    fc.tuple(tie("condition"), tie("condition"), tie("condition")).map(
      ([a, b, c]): Condition => ({
        text: `if ${a.text} then ${b.text} else ${c.text}`,
        holds: (question) => (a.holds(question) ? b.holds(question) : c.holds(question)),
      }),
    ),
  ),
}));

const question = fc.record({
  path: fc.constantFrom("/", "/ws", "/ws/a", "/ws/out", "/ws/out/b/c/d", "/ws-evil", "/srv", "/srv/x", "/other/ws"),
  exists: fc.boolean(),
  bytes: fc.integer({ min: 0, max: 4 }),
});

test("a forbid of a file forbids exactly what it says, wherever it names its paths", async () => {
  const engine = await testEngine();
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      condition,
      fc.constantFrom("when", "unless"),
      fc.array(question, { minLength: 6 }),
      async (body, kind, questions) => {
        const text = `@id("a") forbid (principal, action == Action::"fs_read", resource) ${kind} { ${body.text} };`;
        const loaded = await load(text).catch((error: Error) => {
          expect(error.message).toMatch(/opposite|impossible/);
        });
        if (loaded === undefined) return;
        taken += 1;
        engine.activate(
          compilePolicy({ authority: authorityOf({ read: ["/"] }), manifests: MANIFESTS, fileRules: loaded.rules }),
        );
        const hidden = confinedAuthority(authorityOf(), loaded.rules).deny.read.map(({ path }) => path);
        const isTold = loaded.warnings.some(({ message }) => message.includes("programs are not bound by it"));
        for (const { path, ...facts } of questions) {
          const asked = pathFacts(path, facts);
          const { allowed } = engine.decide({ principal: "default", capability: "fs_read", question: asked });
          expect(allowed, `${text} on ${JSON.stringify(asked)}`).toBe(body.holds(asked) !== (kind === "when"));
          // The second fence: what file tools may not read is hidden from programs, or the operator is told.
          expect(allowed || isTold || hidden.some((folder) => isWithin(path, folder)), text).toBe(true);
        }
      },
    ),
    { numRuns: 100 },
  );
  expect(taken).toBeGreaterThan(30);
});

const WORDS = ["@id(", "permit", "forbid", "principal", "action", "resource", "when", "in", "context", "bytes"];
const MARKS = '"a" " ( ) , ; { } [ ] // == && || ! . \\ Path::"/ws"'.split(" ");
const SPACES = ["\n", "\r", " ", "\u202e", "é", "\0"];
const STATEMENTS = [
  '@id("b") forbid (principal, action, resource in Path::"/ws");',
  '@id("c") permit (principal, action, resource);',
];
/** Of these alone a whole policy is made often enough. */
const WHOLE = ["d", "e", "f"].map((id) => `@id("${id}") forbid (principal, action, resource);\n`);

test("any text is refused or read, and the thread reads on", async () => {
  const joined = (pieces: readonly string[], maxLength: number) =>
    fc.array(fc.constantFrom(...pieces), { maxLength }).map((all) => all.join(""));
  const text = fc.oneof(
    joined([...WORDS, ...MARKS, ...SPACES, ...STATEMENTS], 60),
    joined([...WHOLE, "// a note\n", " "], 5),
    fc.string({ unit: "binary" }),
  );
  let [read, refused] = [0, 0];
  await fc.assert(
    fc.asyncProperty(text, async (written) => {
      const [loaded] = await Promise.allSettled([load(written)]);
      if (loaded.status === "rejected") {
        refused += 1;
        expect(loaded.reason).toMatchObject({
          code: "FEMTO_POLICY_INVALID",
          message: expect.stringMatching(/^policy\/extra\.cedar:\d+:\d+: /),
        });
        return;
      }
      const { rules } = loaded.value;
      if (rules.length > 0) read += 1;
      // Whatever is read is a policy that was written out, and none that opens everything.
      expect(rules.filter(({ text: made }) => !made.startsWith("@id(") || made.includes("permit"))).toEqual([]);
    }),
    { numRuns: 250 },
  );
  for (const count of [read, refused]) expect(count).toBeGreaterThan(20);
});
