/** Whatever an agent named: a draft is a configuration of exactly the proposed entries, and all else in it is comment. */
import type { GrantProposal } from "@femtoclaw/policy";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readConfiguration } from "../../src/configuration/read-configuration.ts";
import type { Drafted, PolicyDraft } from "../../src/policy/draft.ts";
import { draftText } from "../../src/policy/draft-text.ts";

const text = fc
  .oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\n[allow]\nread = ['/']", "# x", "\r", "\u202e", "]", '"""', "~"),
  )
  .filter((value) => value.isWellFormed() && !value.includes("\0"));
const note = { note: fc.option(text), dangerous: fc.constant(false) };
const flags = fc.array(
  text.map((flag) => `-${flag}`),
  { maxLength: 3 },
);
const grant: fc.Arbitrary<GrantProposal> = fc.oneof(
  fc.record({
    table: fc.constantFrom("read" as const, "write" as const),
    path: text.map((name) => `/p/${name}`),
    ...note,
  }),
  fc.record({
    table: fc.constant("run" as const),
    program: text.map((name) => `/opt/${name}`),
    realPath: text,
    use: fc.oneof(
      fc.record({ kind: fc.constant("any" as const), unsafe: fc.boolean() }),
      fc.record({ kind: fc.constant("word" as const), word: text.map((word) => `${word}w`), flags }),
    ),
    ...note,
  }),
  fc.record({ table: fc.constant("environment" as const), name: fc.constantFrom("TZ", "_a1"), ...note }),
);
const drafted = <T>(about: fc.Arbitrary<T>): fc.Arbitrary<Drafted<T>[]> =>
  fc.array(
    fc.record({
      about,
      count: fc.integer({ min: 1 }),
      tried: fc.nat(),
      records: fc.array(fc.nat(), { minLength: 1, maxLength: 5 }),
    }),
    {
      maxLength: 8,
    },
  );
const trial = fc.record({
  revision: text,
  calls: fc.nat(),
  undecided: fc.nat(),
  permits: drafted(text),
  asks: drafted(text),
  denies: drafted(text),
});
const draft: fc.Arbitrary<PolicyDraft> = fc.record({
  denied: fc.nat(),
  permitted: fc.nat(),
  undecidable: fc.nat(),
  left_out: fc.nat(),
  grants: drafted(grant),
  dangerous: drafted(grant),
  obstacles: drafted(text),
  approved: drafted(text),
  trial: fc.option(trial),
});

it("holds each proposed entry, and nothing else that counts", () => {
  fc.assert(
    fc.property(draft, (found) => {
      const written = draftText(found, { directory: "/p", searchPath: ["/nowhere"] });
      expect(written).toMatch(
        found.denied === 1 ? /^# Drafted from 1 denied call\. / : /^# Drafted from \d+ denied calls\. /,
      );
      const { configuration } = readConfiguration(Buffer.from(written), "draft.toml");
      const { allow = {}, sandbox = {}, ...rest } = configuration;
      expect(rest).toEqual({});
      const count = (table: GrantProposal["table"]) => found.grants.filter(({ about }) => about.table === table).length;
      expect(allow.read?.length ?? 0).toBe(count("read"));
      expect(allow.write?.length ?? 0).toBe(count("write"));
      expect(Object.values(allow.run ?? {}).flat()).toHaveLength(count("run"));
      expect(sandbox.env?.length ?? 0).toBe(count("environment"));
    }),
  );
});
