/** What entries of `fetch` mean, said twice: by the rules that they become, and by the functions that facts ask. */
import { compilePolicy, createPolicyEngine, NO_HISTORY } from "@femtoclaw/policy";
import {
  type Authority,
  type FetchGrant,
  type FetchPattern,
  fetchPattern,
  fetchText,
  isForbiddenBy,
  isPermittedBy,
} from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtinCapabilities } from "../../../capabilities/src/builtin.ts";
import { authorityOf, fetchGrant, fetchTable, hostFacts } from "../policy-fixture.ts";

const MANIFESTS = builtinCapabilities.map(({ manifest }) => manifest);
const name = fc.constantFrom("a.test", "b.a.test", "c.b.a.test", "xa.test", "a.test.evil", "other.test");
const host = fc.oneof(name, fc.constantFrom("8.8.8.8", "[2606:4700::1111]"));
const port = fc.constantFrom(80, 443, 8443);
const entry: fc.Arbitrary<FetchGrant> = fc
  .tuple(
    fc.oneof(
      host,
      name.map((below) => `*.${below}`),
      fc.constant("*"),
    ),
    fc.option(port),
  )
  .map(([named, at]) => fetchGrant(at === null ? named : `${named}:${at}`));
const entries = fc.array(entry, { maxLength: 3 });
const target = fc.record({ scheme: fc.constantFrom("http" as const, "https" as const), host, port });

const authority = (tables: { allow: FetchGrant[]; ask: FetchGrant[]; deny: FetchGrant[] }): Authority => ({
  ...authorityOf(),
  allow: fetchTable(tables.allow),
  ask: fetchTable(tables.ask),
  deny: fetchTable(tables.deny),
});

describe("entries of fetch", () => {
  it("mean in Cedar what they mean to the facts", async () => {
    const engine = await createPolicyEngine();
    await fc.assert(
      fc.asyncProperty(
        entries,
        entries,
        entries,
        fc.array(target, { minLength: 1, maxLength: 6 }),
        async (allow, ask, deny, targets) => {
          const compiled = compilePolicy({ authority: authority({ allow, ask, deny }), manifests: MANIFESTS });
          engine.activate(compiled);
          engine.project();
          for (const to of targets) {
            const among = (all: readonly FetchPattern[], by: typeof isPermittedBy) => all.some((one) => by(one, to));
            const asked = {
              principal: "default",
              capability: "net_fetch",
              question: hostFacts(to.host, to.port, { scheme: to.scheme }),
              history: NO_HISTORY,
            };
            const decision = engine.decide(asked);
            const [permitted, asking] = [among(allow, isPermittedBy), among(ask, isForbiddenBy)];
            const expected = among(deny, isForbiddenBy)
              ? "FEMTO_POLICY_FORBIDDEN"
              : !permitted && !among(ask, isPermittedBy)
                ? "FEMTO_POLICY_NO_PERMIT"
                : asking || !permitted
                  ? "FEMTO_APPROVAL_REQUIRED"
                  : "allowed";
            expect(decision.allowed ? "allowed" : decision.code, JSON.stringify({ to, decision })).toBe(expected);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it("are written as they are read", () => {
    fc.assert(
      fc.property(entry, ({ source, ...pattern }) => {
        expect(fetchPattern(fetchText(pattern)), source).toEqual(pattern);
      }),
    );
  });

  it.each([
    ...[
      "",
      "http://a.test",
      "a.test/",
      "user@a.test",
      "a.test:",
      "a.test:0",
      "a.test:080",
      "a.test:99999",
      "*.test",
      "*.8.8.8.8",
    ],
    ...[
      "a.*",
      "*a.test",
      "**",
      "127.1",
      "0x7f.0.0.1",
      "a.test.",
      "::1",
      "[::1",
      "[0:0::1]",
      "gr\u00fcn.test",
      "a b.test",
      "a.test\n",
    ],
  ])("refuses %j", (written) => {
    expect(fetchPattern(written)).toHaveProperty("problem");
  });
});
