import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Authority, FactQuestion, ProgramGrant } from "@femtoclaw/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { policyRevision } from "../../src/compile.ts";
import { type CompiledPolicy, compilePolicy, DecisionShare } from "../../src/index.ts";
import { authorityOf, MANIFESTS, pathFacts, programFacts, type TestEngine, testEngine } from "../policy-fixture.ts";

// Few names, and some that only differ a little, so that random tables and requests meet.
const name = fc.constantFrom("a", "b", "ab", "A", "а", "a-", "a b", '"', "\\", "…");
const path = fc.array(name, { maxLength: 4 }).map((names) => `/${names.join("/")}`);
const paths = fc.uniqueArray(path, { maxLength: 4 });
const programPath = fc.constantFrom("/usr/bin/one", "/usr/bin/two", "/opt/one");
const first = fc.constantFrom("status", "push", "Status", "", "+x");
const flag = fc.constantFrom("-a", "-b", "--all", "--all=x", "--al", "-ab");
const usable = fc.constantFrom<readonly string[]>(
  [],
  ["-a"],
  ["-a", "-b", "-ab"],
  ["--all"],
  ["--all", "--all=x"],
  ["--al"],
);
const variable = fc.constantFrom("LANG", "TZ", "PATH", "LD_PRELOAD");

const wordGrant: fc.Arbitrary<ProgramGrant> = fc
  .tuple(
    programPath,
    programPath,
    first.filter((word) => word !== ""),
    usable,
  )
  .map(([at, realPath, word, flags]) => ({ path: at, realPath, use: { kind: "word", word, flags }, source: "s" }));
const anyGrant: fc.Arbitrary<ProgramGrant> = fc
  .tuple(programPath, programPath)
  .map(([at, realPath]) => ({ path: at, realPath, use: { kind: "any", unsafe: false }, source: "s" }));
/** Grants of one kind, since a word beside "any" is a load error. */
const run = fc.oneof(fc.array(wordGrant, { maxLength: 4 }), fc.array(anyGrant, { maxLength: 2 }));

const authority: fc.Arbitrary<Authority> = fc
  .record({
    read: paths,
    write: paths,
    run,
    askRead: paths,
    askWrite: paths,
    askRun: run,
    denyRead: paths,
    denyWrite: paths,
    denyRun: fc.array(fc.oneof(wordGrant, anyGrant), { maxLength: 2 }),
    // A floor at the root would leave no program that may be granted.
    floor: fc.uniqueArray(path, { maxLength: 2 }).map((found) => found.filter((at) => at !== "/")),
    environmentNames: fc.uniqueArray(variable),
  })
  .map(authorityOf);

interface Request {
  readonly capability: string;
  readonly question: FactQuestion;
}

const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    capability: fc.constantFrom("fs_read", "fs_list", "fs_write"),
    question: path.map((at) => pathFacts(at)),
  }),
  fc.record({
    capability: fc.constant("process_exec"),
    question: fc
      .tuple(
        programPath,
        programPath,
        fc.array(fc.oneof(first, flag), { maxLength: 3 }),
        fc.uniqueArray(variable, { maxLength: 1 }),
      )
      .map(([program, real_path, argv, environment]) => programFacts(program, argv, { real_path, environment })),
  }),
  fc.constant({ capability: "clock_now", question: { kind: "tool" as const } }),
);

type Verdict = "allowed" | "FEMTO_POLICY_NO_PERMIT" | "FEMTO_POLICY_FORBIDDEN" | "FEMTO_APPROVAL_REQUIRED";

/** What of the tables applies to a request. */
interface Applies {
  readonly forbidden: boolean;
  readonly asking: boolean;
  readonly permitted: boolean;
  readonly permittedOnceAsked: boolean;
}

function meaningOf({ forbidden, asking, permitted, permittedOnceAsked }: Applies): Verdict {
  if (forbidden) return "FEMTO_POLICY_FORBIDDEN";
  if (!permitted && !permittedOnceAsked) return "FEMTO_POLICY_NO_PERMIT";
  return asking || !permitted ? "FEMTO_APPROVAL_REQUIRED" : "allowed";
}

/** The meaning of the tables once more, in plain sets and without Cedar. */
function oracle(tables: Authority, { capability, question }: Request): Verdict {
  const { allow, ask, deny, floor, environmentNames } = tables;
  if (question.kind === "tool" || question.kind === "host" || question.kind === "mcp_tool")
    return "FEMTO_POLICY_NO_PERMIT";
  if (question.kind === "path") {
    const asked = question.path.split("/").filter((part) => part !== "");
    const below = (folder: string) =>
      folder
        .split("/")
        .filter((part) => part !== "")
        .every((part, index) => asked[index] === part);
    const among = (grants: readonly { path: string }[]) => grants.some((grant) => below(grant.path));
    const writes = capability === "fs_write";
    return meaningOf({
      forbidden: floor.some(below) || among(deny.read) || (writes && among(deny.write)),
      asking: among(ask.read) || (writes && among(ask.write)),
      permitted: among(writes ? allow.write : allow.read),
      permittedOnceAsked: among(writes ? ask.write : ask.read),
    });
  }
  const { program, real_path, word, flags, environment, arguments: count } = question;
  const unsettable = environment.some(
    (set) => !environmentNames.includes(set) || set === "PATH" || set === "LD_PRELOAD",
  );
  const spellings = (listed: string): string[] => {
    if (!listed.startsWith("--")) return [listed, ...Array.from(listed.slice(1), (letter) => `-${letter}`)];
    const long = listed.split("=")[0] ?? listed;
    return [listed, ...Array.from(long, (_, at) => long.slice(0, at + 1)).filter((part) => part.length > 2)];
  };
  const reaches = ({ path: at, realPath, use }: ProgramGrant): boolean => {
    if (program !== at && real_path !== realPath) return false;
    if (use.kind === "any") return true;
    if (word === undefined ? count === 0 : word !== use.word) return false;
    return use.flags.length === 0 || use.flags.flatMap(spellings).some((spelling) => flags.includes(spelling));
  };
  const covers = ({ path: at, realPath, use }: ProgramGrant): boolean =>
    program === at &&
    real_path === realPath &&
    (use.kind === "any" || (word === use.word && flags.every((given) => use.flags.includes(given))));
  return meaningOf({
    forbidden: unsettable || deny.run.some(reaches),
    asking: ask.run.some(reaches),
    permitted: allow.run.some(covers),
    permittedOnceAsked: ask.run.some(covers),
  });
}

describe("decisions", () => {
  let engine: TestEngine;
  let other: TestEngine;
  beforeAll(async () => {
    engine = await testEngine();
    other = await testEngine();
  });

  // What was remembered under one policy would show under the next.
  const share = new DecisionShare();
  const verdictOf = (asked: TestEngine, { capability, question }: Request, approved = false): string => {
    const decision = asked.decide({ principal: "s", capability, question, approved, share });
    return decision.allowed ? "allowed" : decision.code;
  };
  const compile = (granted: Authority) => compilePolicy({ authority: granted, manifests: MANIFESTS });

  it("agree with plain sets", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(authority, fc.array(request, { minLength: 10, maxLength: 20 }), (granted, requests) => {
        engine.activate(compile(granted));
        // First by the whole policy, then projected, then remembered.
        for (const [index, asked] of [...requests, ...requests, ...requests].entries()) {
          if (index === requests.length) engine.project();
          const verdict = oracle(granted, asked);
          seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
          expect(verdictOf(engine, asked)).toBe(verdict);
        }
      }),
      { numRuns: 60 },
    );
    // A generator that never permits would prove nothing.
    for (const verdict of ["allowed", "FEMTO_APPROVAL_REQUIRED", "FEMTO_POLICY_NO_PERMIT", "FEMTO_POLICY_FORBIDDEN"]) {
      expect(seen.get(verdict) ?? 0).toBeGreaterThan(50);
    }
  });

  it("only tighten when a forbid is added, and no permit overrides a forbid", () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(authority, authority, fc.array(request, { minLength: 5, maxLength: 10 }), (base, extra, requests) => {
        const forbidding = { ...base, deny: joined(base.deny, extra.deny), floor: [...base.floor, ...extra.floor] };
        const allow = joined(base.allow, extra.allow);
        // A word beside "any" is a load error.
        const isOneKind = new Set(allow.run.map(({ use }) => use.kind)).size < 2;
        const permitting = { ...base, allow: isOneKind ? allow : { ...allow, run: base.allow.run } };
        engine.activate(compile(base));
        const before = requests.map((asked) => verdictOf(engine, asked));
        engine.activate(compile(forbidding));
        const tightened = requests.map((asked) => verdictOf(engine, asked));
        engine.activate(compile(permitting));
        const widened = requests.map((asked) => verdictOf(engine, asked));
        before.forEach((verdict, index) => {
          seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
          if (verdict !== "allowed") expect(tightened[index]).not.toBe("allowed");
          if (verdict === "FEMTO_POLICY_FORBIDDEN") expect(widened[index]).toBe("FEMTO_POLICY_FORBIDDEN");
          if (verdict === "allowed") expect(widened[index]).toBe("allowed");
          if (verdict === "FEMTO_APPROVAL_REQUIRED") expect(tightened[index]).not.toBe("allowed");
        });
      }),
      { numRuns: 60 },
    );
    // A generator that never permits would prove nothing here either.
    for (const verdict of ["allowed", "FEMTO_APPROVAL_REQUIRED", "FEMTO_POLICY_FORBIDDEN"]) {
      expect(seen.get(verdict) ?? 0, verdict).toBeGreaterThan(5);
    }
  });

  it("are after a yes what they would be if the tables allowed what they ask", () => {
    fc.assert(
      fc.property(authority, fc.array(request, { minLength: 5, maxLength: 15 }), (granted, requests) => {
        const { allow, ask } = granted;
        engine.activate(compile(granted));
        const asking = requests.map((asked) => {
          return { asked, before: verdictOf(engine, asked), after: verdictOf(engine, asked, true) };
        });
        // A word beside "any" is a load error in one table, and the same in two.
        const kinds = new Set([...allow.run, ...ask.run].map(({ use }) => use.kind));
        if (kinds.size > 1) return;
        engine.activate(compile({ ...granted, allow: joined(allow, ask), ask: { read: [], write: [], run: [] } }));
        for (const { asked, before, after } of asking) {
          expect(after).toBe(verdictOf(engine, asked));
          expect(after).not.toBe("FEMTO_APPROVAL_REQUIRED");
          if (before === "FEMTO_APPROVAL_REQUIRED" || before === "allowed") expect(after).toBe("allowed");
          else expect(after).toBe(before);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("are the same in every order of the rules, to the last id", () => {
    fc.assert(
      fc.property(
        authority.chain((granted) =>
          fc.tuple(
            fc.constant(granted),
            fc.shuffledSubarray(compile(granted).rules.slice(), { minLength: compile(granted).rules.length }),
          ),
        ),
        fc.array(request, { minLength: 5, maxLength: 10 }),
        ([granted, shuffled], requests) => {
          const policy = compile(granted);
          const reordered: CompiledPolicy = { ...policy, rules: shuffled };
          expect(policyRevision(policy.engine, policy.schemaText, shuffled)).toBe(policy.revision);
          engine.activate(policy);
          other.activate(reordered);
          other.project();
          for (const { capability, question } of requests) {
            const asked = { principal: "s", capability, question };
            expect(other.decide(asked)).toEqual(engine.decide(asked));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("are the same in every process, zone and language, also where everything comes in another order", () => {
    const samples = fc.sample(fc.tuple(authority, fc.array(request, { minLength: 5, maxLength: 10 })), 40);
    const trials = samples.map(([granted, requests]) => ({
      policy: compile(granted),
      requests: requests.map((asked) => ({ principal: "s", ...asked })),
    }));
    const here = trials.map(({ policy, requests }) => {
      engine.activate(policy);
      return requests.map((asked) => engine.decide(asked));
    });
    for (const [order, zone, locale] of [
      ["same", "UTC", "C.UTF-8"],
      ["reverse", "Asia/Kathmandu", "tr_TR.UTF-8"],
    ] as const) {
      const answer = execFileSync(process.execPath, [join(import.meta.dirname, "decide-elsewhere.ts"), order], {
        input: JSON.stringify(trials),
        env: { TZ: zone, LANG: locale, LC_ALL: locale },
      });
      expect(JSON.parse(answer.toString())).toEqual(here);
    }
  });
});

function joined(one: Authority["deny"], two: Authority["deny"]): Authority["deny"] {
  return { read: [...one.read, ...two.read], write: [...one.write, ...two.write], run: [...one.run, ...two.run] };
}
