import type { HistoryFacts } from "@femtoclaw/protocol";
import { describe, expect, it } from "vitest";
import { authorizationCall } from "../../src/decisions/request.ts";
import { NO_HISTORY } from "../../src/index.ts";
import { pathFacts } from "../policy-fixture.ts";

describe("a request", () => {
  it("sends only the ancestors that rules name, each by a direct edge", () => {
    const prepared = authorizationCall(
      { principal: "s", capability: "fs_read", question: pathFacts("/a/b/c/d"), history: NO_HISTORY },
      { slot: "A", namedPaths: new Set(["/", "/a/b", "/a/b/c/d", "/a/b/cc", "/other"]) },
    );
    expect(prepared).toMatchObject({
      call: { entities: [{ uid: { id: "/a/b/c/d" }, parents: [{ id: "/" }, { id: "/a/b" }] }], validateRequest: true },
    });
  });

  it("holds the history as counts, truth values and a time of the engine's own type", () => {
    const history: HistoryFacts = { ...NO_HISTORY, at: "2026-11-25T22:24:45Z", calls: 7, has_read_secret: true };
    const question = pathFacts("/a");
    const asked = { principal: "s", capability: "fs_read", question, history };
    const { at: _at, ...session } = history;
    expect(authorizationCall(asked, { slot: "A", namedPaths: new Set() })).toMatchObject({
      call: { context: { session, time: { __extn: { fn: "datetime", arg: "2026-11-25T22:24:45Z" } } } },
    });
  });

  it.each<[string, unknown]>([
    ["none", undefined],
    ["null", null],
    ["a text", "clean"],
    ["one without a flag", { ...NO_HISTORY, has_read_secret: undefined }],
    ["a flag that is a text", { ...NO_HISTORY, has_read_secret: "" }],
    ["a count that is an entity", { ...NO_HISTORY, calls: { __entity: { type: "Agent", id: "s" } } }],
    ["a count below none", { ...NO_HISTORY, calls: -1 }],
    ["a fraction", { ...NO_HISTORY, bytes: 0.5 }],
    ["a count that no number holds", { ...NO_HISTORY, bytes: 2 ** 53 }],
    ["a time that is an expression", { ...NO_HISTORY, at: '2026-11-25T22:24:45Z" }' }],
    ["a time of another form", { ...NO_HISTORY, at: "2026-11-25" }],
  ])("is not made of a history that is %s", (_what, history) => {
    const asked = {
      principal: "s",
      capability: "fs_read",
      question: pathFacts("/a"),
      history: history as HistoryFacts,
    };
    expect(authorizationCall(asked, { slot: "A", namedPaths: new Set() })).toMatchObject({ ok: false });
  });
});
