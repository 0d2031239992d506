import type { PolicyJson } from "@cedar-policy/cedar-wasm/web";
import { beforeAll, describe, expect, it } from "vitest";
import { type Cedar, openCedar } from "../../src/engine/cedar-instance.ts";
import type { RecordType } from "../../src/projection/fact-types.ts";
import { ruleTrail, trailOf } from "../../src/projection/trail.ts";

/** Of `word` nobody knows whether it is there. */
const FACTS: RecordType = new Map(
  ["host", "real_path", "program", "word"].map((name) => [name, { type: "String", required: name !== "word" }]),
);

describe("the place of a rule", () => {
  let cedar: Cedar;
  beforeAll(async () => {
    cedar = (await (await openCedar())()).start();
  });
  const trail = (type: string, text: string): readonly string[] => {
    const answer = cedar.policyToJson(text);
    if (answer.type !== "success") throw new Error(JSON.stringify(answer.errors));
    return ruleTrail(answer.json as PolicyJson, type, FACTS);
  };
  const scoped = (type: string, scope: string): readonly string[] =>
    trail(type, `forbid (principal, action, ${scope}) when { context.n > 1 };`);
  const program = (clauses: string): readonly string[] =>
    trail("Program", `permit (principal, action, resource == Program::"/p") ${clauses};`);
  const host = (clauses: string): readonly string[] =>
    trail("Host", `permit (principal, action, resource) ${clauses};`);

  it.each([
    ["Path", 'resource in Path::"/a/b"', ["/", "/a", "/a/b"]],
    ["Path", 'resource == Path::"/a/b"', ["/", "/a", "/a/b"]],
    ["Path", 'resource is Path in Path::"/a"', ["/", "/a"]],
    ["Path", 'resource in Path::"/"', ["/"]],
    ["Program", 'resource == Program::"/p"', ['["/p"]']],
    ["McpTool", 'resource == McpTool::"git__log"', ['["git__log"]']],
  ])("follows from the scope of a rule about a %s, %s", (type, scope, expected) => {
    expect(scoped(type, scope)).toEqual(expected);
  });

  it.each([
    ["Path", "resource"],
    ["Path", "resource is Path"],
    ["Path", 'resource in Program::"/a"'],
    ["Path", 'resource in Path::"/a/"'],
    ["Path", 'resource in Path::"a"'],
    ["Path", `resource in Path::"${"/a".repeat(100_000)}"`],
    ["Program", 'resource == Path::"/p"'],
    ["Host", 'resource == Host::"a.test:443"'],
    ["Tool", 'resource == Tool::"clock_now"'],
    ["Future", 'resource == Future::"x"'],
  ])("is anywhere for a rule about a %s with %s", (type, scope) => {
    expect(scoped(type, scope)).toEqual([]);
  });

  it("follows from the facts that a rule compares before anything may err", () => {
    const [one, word] = ['["/p"]', '["/p","w"]'];
    expect(program('when { context has word && context.word == "w" }')).toEqual([one, word]);
    expect(
      program('when { context.real_path == "/q" && context has word && context.word == "w" && context.n > 1 }'),
    ).toEqual([one, word]);
    expect(program('when { (context.real_path == "/q" && (context has word && context.word == "w")) }')).toEqual([
      one,
      word,
    ]);
    expect(program('when { context has word && context.word == "w" } unless { context.n > 1 }')).toEqual([one, word]);
    expect(host('when { context.program == "/p" && context.host == "a.test" }')).toEqual(['["a.test"]']);
  });

  it.each([
    ["what may be absent", 'when { context.word == "w" }'],
    ["what another fact is there for", 'when { context has other && context.word == "w" }'],
    ["what is there later", 'when { context.word == "w" && context has word }'],
    ["a term that may err", 'when { context.n + 1 > 1 && context has word && context.word == "w" }'],
    ["a term that compares no text", 'when { context.n == 1 && context has word && context.word == "w" }'],
    ["a choice", 'when { (context has word && context.word == "w") || context.n == 1 }'],
    ["a negation", 'when { !(context has word && context.word == "w") }'],
    ["an exception", 'unless { context has word && context.word == "w" }'],
    ["a second clause", 'when { context.n == 1 } when { context has word && context.word == "w" }'],
    ["the other side", 'when { context has word && "w" == context.word }'],
    ["a pattern", 'when { context has word && context.word like "w*" }'],
    ["a difference", 'when { context has word && context.word != "w" }'],
    ["a member of something else", 'when { context has inner && context.inner.word == "w" }'],
    ["a deep question", 'when { context has inner.word && context.inner.word == "w" }'],
    ["another variable", 'when { resource has word && resource.word == "w" }'],
    ["a list", 'when { context has word && ["w"].contains(context.word) }'],
  ])("does not follow from %s", (_, clauses) => {
    expect(program(clauses)).toEqual(['["/p"]']);
  });

  it("is the first of two that cannot be both, and a word without a program is anywhere", () => {
    expect(host('when { context.host == "a.test" && context.host == "b.test" }')).toEqual(['["a.test"]']);
    expect(
      trail("Program", 'permit (principal, action, resource) when { context has word && context.word == "w" };'),
    ).toEqual([]);
  });

  it("is on the trail of a question that is about the very same, and of no other", () => {
    const question = { ancestors: [], context: { word: "w" } };
    expect(trailOf("Program", { ...question, resource: "/p" })).toEqual(['["/p"]', '["/p","w"]']);
    expect(trailOf("Program", { ...question, resource: '/p","w' })).toEqual(['["/p\\",\\"w"]', '["/p\\",\\"w","w"]']);
    expect(trailOf("Program", { resource: "/p", ancestors: [], context: {} })).toEqual(['["/p"]']);
    expect(trailOf("Program", { resource: "/p", ancestors: [], context: { word: true } })).toEqual(['["/p"]']);
  });
});
