/** What entries of `[sandbox].connect` mean, said twice: by the rules that they become, and by the functions that facts ask. */
import { compilePolicy, createPolicyEngine, NO_HISTORY } from "@femtoclaw/policy";
import {
  type Authority,
  CONNECT_ACTION,
  type ConnectGrant,
  connectGrants,
  type FetchGrant,
  type HostQuestion,
  isForbiddenBy,
  isPermittedBy,
} from "@femtoclaw/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { builtinCapabilities } from "../../../capabilities/src/builtin.ts";
import { authorityOf, fetchGrant, fetchTable, hostFacts } from "../policy-fixture.ts";

const MANIFESTS = builtinCapabilities.map(({ manifest }) => manifest);
const PROGRAMS = [
  { program: "/usr/bin/git", realPath: "/usr/bin/git" },
  { program: "/usr/bin/npm", realPath: "/usr/lib/npm/cli.js" },
  // One name that leads elsewhere by now.
  { program: "/usr/bin/npm", realPath: "/opt/npm/cli.js" },
];
const host = fc.constantFrom("a.test", "b.a.test", "a.test.evil", "8.8.8.8");
const port = fc.constantFrom(80, 443, 8443);
const entry: fc.Arbitrary<FetchGrant> = fc
  .tuple(fc.oneof(host, fc.constantFrom("*.a.test", "*")), fc.option(port))
  .map(([named, at]) => fetchGrant(at === null ? named : `${named}:${at}`));
const entries = fc.array(entry, { maxLength: 3 });
const connectEntries: fc.Arbitrary<ConnectGrant[]> = fc.array(
  fc.tuple(entry, fc.constantFrom(...PROGRAMS)).map(([grant, program]) => ({ ...grant, ...program })),
  { minLength: 1, maxLength: 4 },
);
const target = fc.record({ host, port, by: fc.constantFrom(...PROGRAMS) });

interface Tables {
  readonly allow: readonly FetchGrant[];
  readonly ask: readonly FetchGrant[];
  readonly deny: readonly FetchGrant[];
}

function authority(tables: Tables, own: readonly FetchGrant[] | null, connect?: readonly ConnectGrant[]): Authority {
  const narrow = { allow: { fetch: own ?? [] }, ask: fetchTable(), deny: fetchTable() };
  return {
    ...authorityOf(),
    allow: fetchTable(tables.allow),
    ask: fetchTable(tables.ask),
    deny: fetchTable(tables.deny),
    agents: own === null ? {} : { narrow },
    ...(connect === undefined ? {} : { connect }),
  };
}

const question = ({ host, port, by }: { host: string; port: number; by: (typeof PROGRAMS)[number] }): HostQuestion =>
  hostFacts(host, port, {
    scheme: "tunnel",
    method: "CONNECT",
    path: "",
    hop: 1,
    program: by.program,
    real_path: by.realPath,
  });

describe("entries of connect", () => {
  it("mean in Cedar what they mean to the facts, and everything else only takes away", async () => {
    const engine = await createPolicyEngine();
    await fc.assert(
      fc.asyncProperty(
        fc.record({ allow: entries, ask: entries, deny: entries }),
        fc.option(entries),
        connectEntries,
        fc.array(target, { minLength: 1, maxLength: 6 }),
        async (tables, own, connect, targets) => {
          const granted = authority(tables, own, connect);
          engine.activate(compilePolicy({ authority: granted, manifests: MANIFESTS }));
          engine.project();
          for (const { by, ...rest } of targets) {
            const to = { scheme: "https", ...rest } as const;
            const among = (all: readonly FetchGrant[], is: typeof isPermittedBy) => all.some((one) => is(one, to));
            const asked = { principal: "narrow", capability: CONNECT_ACTION, history: NO_HISTORY };
            const decision = engine.decide({ ...asked, question: question({ ...to, by }) });
            const isForbidden = among(tables.deny, isForbiddenBy) || (own !== null && !among(own, isPermittedBy));
            const expected = isForbidden
              ? "FEMTO_POLICY_FORBIDDEN"
              : !among(connectGrants(granted, by), isPermittedBy)
                ? "FEMTO_POLICY_NO_PERMIT"
                : among(tables.ask, isForbiddenBy)
                  ? "FEMTO_APPROVAL_REQUIRED"
                  : "allowed";
            expect(decision.allowed ? "allowed" : decision.code, JSON.stringify({ to, by, decision })).toBe(expected);
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  it("leave a policy without them as it is", () => {
    const plain = authority({ allow: [], ask: [], deny: [] }, null);
    const { revision, actions } = compilePolicy({ authority: plain, manifests: MANIFESTS });
    expect(compilePolicy({ authority: { ...plain, connect: [] }, manifests: MANIFESTS }).revision).toBe(revision);
    expect(actions.map(({ name }) => name)).not.toContain(CONNECT_ACTION);
  });
});
