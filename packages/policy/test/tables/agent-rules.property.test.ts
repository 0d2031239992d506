/** Tables of single agents: they take away, and never give; and they are nobody else's. */
import type { AgentTables, Authority, FactQuestion } from "@femtoclaw/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { compilePolicy } from "../../src/index.ts";
import {
  any,
  authorityOf,
  MANIFESTS,
  pathFacts,
  programFacts,
  type TestEngine,
  testEngine,
  word,
} from "../policy-fixture.ts";

const path = fc.constantFrom("/", "/a", "/a/b", "/a/b/c", "/ab", "/a/bc");
const paths = fc.uniqueArray(path, { maxLength: 3 });
const program = fc.constantFrom("/usr/bin/one", "/usr/bin/two");
const use = fc.oneof(
  program.map((at) => any(at)),
  fc
    .tuple(program, fc.constantFrom("status", "push"), fc.subarray(["-a", "--all"]))
    .map(([at, first, flags]) => word(at, first, flags)),
);
const uses = fc.uniqueArray(use, { maxLength: 3, selector: (grant) => JSON.stringify(grant) });
const table = fc.record({ read: paths, write: paths, run: uses });

const authority = fc
  .record({ allow: table, ask: table, deny: table })
  .map(({ allow, ask, deny }) => {
    const own = authorityOf({ ...allow, denyRead: deny.read, denyWrite: deny.write, denyRun: deny.run });
    return { ...own, ask: authorityOf(ask).allow };
  })
  // A word beside any arguments of the same program is refused when it is compiled.
  .filter((own) =>
    [own.allow.run, own.ask.run].every((run) => new Set(run.map((grant) => grant.path)).size === run.length),
  );

const grants = (list: readonly string[]) => list.map((at) => ({ path: at, source: "agent" }));
const agentTables: fc.Arbitrary<AgentTables> = fc
  .record({ allow: fc.record({ read: paths, write: paths, run: uses }, { requiredKeys: [] }), ask: table, deny: table })
  .map(({ allow, ask, deny }) => ({
    allow: {
      ...(allow.read === undefined ? {} : { read: grants(allow.read) }),
      ...(allow.write === undefined ? {} : { write: grants(allow.write) }),
      ...(allow.run === undefined ? {} : { run: allow.run }),
    },
    ask: { read: grants(ask.read), write: grants(ask.write), run: ask.run },
    deny: { read: grants(deny.read), write: grants(deny.write), run: deny.run },
  }));

const request = fc.oneof(
  fc.record({
    capability: fc.constantFrom("fs_read", "fs_list", "fs_write"),
    question: path.map((at): FactQuestion => pathFacts(at)),
  }),
  fc
    .tuple(program, fc.constantFrom([], ["status"], ["push", "-a"], ["-a", "push"], ["status", "--all"]))
    .map(([at, argv]) => ({ capability: "process_exec", question: programFacts(at, argv) as FactQuestion })),
);

describe("the tables of an agent", () => {
  let [plain, narrowed]: TestEngine[] = [];
  beforeAll(async () => {
    [plain, narrowed] = [await testEngine(), await testEngine()];
  });

  const verdicts = (own: Authority, list: readonly { capability: string; question: FactQuestion }[]) => {
    plain?.activate(compilePolicy({ authority: own, manifests: MANIFESTS }));
    return list.map((asked) => plain?.decide({ principal: "default", ...asked }));
  };

  it("never permit or ask what is denied without them, and change nothing for anybody else", () => {
    fc.assert(
      fc.property(authority, agentTables, fc.array(request, { minLength: 1, maxLength: 12 }), (own, tables, list) => {
        const before = verdicts(own, list);
        narrowed?.activate(
          compilePolicy({ authority: { ...own, agents: { reviewer: tables } }, manifests: MANIFESTS }),
        );
        for (const [at, asked] of list.entries()) {
          const free = before[at];
          for (const principal of ["default", "reviewe", "reviewer2"]) {
            expect(narrowed?.decide({ principal, ...asked })).toEqual(free);
          }
          const bound = narrowed?.decide({ principal: "reviewer", ...asked });
          if (bound?.allowed) expect(free?.allowed).toBe(true);
          if (bound?.allowed === false && bound.code === "FEMTO_APPROVAL_REQUIRED") {
            expect(free?.allowed === true || (free?.allowed === false && free.code === bound.code)).toBe(true);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("leave of what is allowed what they list, and of a list of hundreds every one", () => {
    const run = Array.from({ length: 300 }, (_, n) => word("/usr/bin/one", `w${n}`));
    const own = authorityOf({ read: ["/a"], run: [any("/usr/bin/one")] });
    const none = { read: [], write: [], run: [] };
    const agents = { reviewer: { allow: { read: grants(["/a/b"]), run }, ask: none, deny: none } };
    narrowed?.activate(compilePolicy({ authority: { ...own, agents }, manifests: MANIFESTS }));
    const decide = (capability: string, question: FactQuestion) =>
      narrowed?.decide({ principal: "reviewer", capability, question }).allowed;
    expect(["/a", "/a/b", "/a/b/c", "/a/bc"].map((at) => decide("fs_read", pathFacts(at)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    for (const n of [0, 150, 299]) expect(decide("process_exec", programFacts("/usr/bin/one", [`w${n}`]))).toBe(true);
    expect(decide("process_exec", programFacts("/usr/bin/one", ["w300"]))).toBe(false);
    expect(decide("process_exec", programFacts("/usr/bin/one", ["w1", "-a"]))).toBe(false);
  });

  it("that are empty leave nothing", () => {
    const own = authorityOf({ read: ["/a"], write: ["/a"], run: [any("/usr/bin/one")] });
    const none = { read: [], write: [], run: [] };
    const agents = { reviewer: { allow: none, ask: none, deny: none } };
    narrowed?.activate(compilePolicy({ authority: { ...own, agents }, manifests: MANIFESTS }));
    const asked: [string, FactQuestion][] = [
      ["fs_read", pathFacts("/a")],
      ["fs_write", pathFacts("/a/x")],
      ["process_exec", programFacts("/usr/bin/one", [])],
    ];
    for (const [capability, question] of asked) {
      expect(narrowed?.decide({ principal: "reviewer", capability, question }).allowed).toBe(false);
      expect(narrowed?.decide({ principal: "default", capability, question }).allowed).toBe(true);
    }
  });
});
