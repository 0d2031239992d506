/** Tables on trial: each key in the place of its own, checked like those in force, and named where it was written. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Configuration } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import { onTrial, trialSource } from "../../src/configuration/shadow-tables.ts";
import { temporaryHome } from "../runtime-fixture.ts";

type Shadow = NonNullable<Configuration["shadow"]>;

const IN_FORCE: Configuration = {
  allow: { read: ["data"], write: ["out"] },
  deny: { read: ["secrets"] },
  budgets: { calls: 5, seconds: 9 },
};

it("take the place of the same keys, and of no others", () => {
  expect(onTrial({ ...IN_FORCE, shadow: {} })).toEqual(IN_FORCE);
  const shadow = { allow: { read: [] }, ask: { read: ["data"] }, budgets: { calls: 1 } };
  expect(onTrial({ ...IN_FORCE, shadow })).toEqual({
    allow: { read: [], write: ["out"] },
    ask: { read: ["data"] },
    deny: { read: ["secrets"] },
    budgets: { calls: 1, seconds: 9 },
  });
});

it("take the place of the same keys of one agent, and of no other agent's", () => {
  const deny = { read: ["secrets"] };
  const agent = { reviewer: { allow: { read: ["data"], write: [] }, deny }, other: { deny } };
  const shadow: Shadow = { deny: { read: [] }, agent: { reviewer: { allow: { read: [] }, ask: { read: ["data"] } } } };
  expect(onTrial({ ...IN_FORCE, agent, shadow })).toEqual({
    ...IN_FORCE,
    deny: { read: [] },
    agent: { reviewer: { allow: { read: [], write: [] }, ask: { read: ["data"] }, deny }, other: { deny } },
  });
});

it.each([
  ["/agent/reviewer/allow/read/0", "/shadow/agent/reviewer/allow/read/0"],
  ["/agent/reviewer/allow/write/0", "/agent/reviewer/allow/write/0"],
  ["/agent/reviewer/ask", "/shadow/agent/reviewer/ask"],
  ["/agent/reviewer/ask/run/a~1b/0/word", "/shadow/agent/reviewer/ask/run/a~1b/0/word"],
  ["/agent/other/allow/read/0", "/agent/other/allow/read/0"],
  ["/agent/constructor/name", "/agent/constructor/name"],
])("have %s of an agent where it was written", (pointer, place) => {
  const agent = { reviewer: { allow: { read: ["x"], write: [] } }, other: { allow: { read: ["x"] } } };
  const shadow: Shadow = { agent: { reviewer: { allow: { read: ["y"] }, ask: { run: { "a/b": ["c"] } } } } };
  expect(trialSource({ ...IN_FORCE, agent, shadow }, (at) => `f${at}`)(pointer)).toBe(`f${place}`);
});

it.each([
  ["/allow/read/0", "/shadow/allow/read/0"],
  ["/allow/write/0", "/allow/write/0"],
  ["/allow", "/allow"],
  ["/ask", "/shadow/ask"],
  ["/ask/run/a~1b/0/word", "/shadow/ask/run/a~1b/0/word"],
  ["/sensitive/secret/0", "/sensitive/secret/0"],
  ["/constructor/name", "/constructor/name"],
])("have %s where it was written", (pointer, place) => {
  const shadow: Shadow = { allow: { read: ["x"] }, ask: { run: { "a/b": ["c"] } } };
  expect(trialSource({ ...IN_FORCE, shadow }, (at) => `f${at}`)(pointer)).toBe(`f${place}`);
});

it.each<[string, Shadow, RegExp]>([
  ["let calls replace programs", { allow: { write: ["/usr/bin"] } }, /^\/shadow\/allow\/write\/0: .*search_path/],
  ["name what is not there", { ask: { run: { "no-such-program": ["*"] } } }, /^\/shadow\/ask\/run\/no-such-program/],
  ["are of nobody", { agent: { reviewer: { deny: { read: ["."] } } } }, /^\/shadow\/agent\/reviewer: .*no agent/],
  ["wait for a mark that nothing sets", { after_secret: { run: { ls: ["*"] } } }, /^\/shadow\/after_secret: /],
])("are refused where they %s", (_, shadow, message) => {
  expect(() => temporaryHome().configuration({ search_path: ["/usr/bin"], shadow })).toThrowError(
    expect.objectContaining({ code: "FEMTO_CONFIG_INVALID", message: expect.stringMatching(message) as string }),
  );
});

it("change nothing of what is in force, but the digest of the whole", () => {
  const home = temporaryHome();
  for (const folder of ["data", "out", "secrets"]) mkdirSync(join(home.root, folder));
  const [without, same, other] = [
    home.configuration(IN_FORCE),
    home.configuration({ ...IN_FORCE, shadow: {} }),
    home.configuration({ ...IN_FORCE, shadow: { deny: { read: ["data"] } } }),
  ];
  expect("shadow" in without).toBe(false);
  expect([same.authority, other.authority]).toEqual([without.authority, without.authority]);
  expect({ ...without.authority, ...same.shadow }).toEqual(without.authority);
  expect(other.shadow?.deny.read).toEqual([{ path: join(home.root, "data"), source: "/shadow/deny/read/0" }]);
  expect(other.shadow?.deny.write).toEqual(without.authority.deny.write);
  expect(new Set([without.sha256, same.sha256, other.sha256]).size).toBe(3);
});
