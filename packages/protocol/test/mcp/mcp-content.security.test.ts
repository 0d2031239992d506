/** Uris and templates are a stranger's: none leads out of the folder that a rule means, and none takes long. */
import { expect, test } from "vitest";
import { matchesTemplate, templateProblem, uriFolders, uriProblem } from "../../src/index.ts";

test.each([
  ["docs://a/b", null],
  ["file:///docs/a.md?x=1#y", null],
  ["urn:isbn:1", null],
  ["docs://a/../b", "out of its folder"],
  ["docs://a/..", "out of its folder"],
  ["docs://a/./b", "out of its folder"],
  ["docs:..", "out of its folder"],
  ["docs://a/%2e%2E/b", "out of its folder"],
  ["docs://a%2Fb", "out of its folder"],
  ["docs://a/%5c..", "out of its folder"],
  ["docs://guide/%73ecret", "another spelling"],
  ["docs://%47uide/x", "another spelling"],
  ["docs://a/x%2Dy", "another spelling"],
  ["docs://a/%7Ea?page=%31", "another spelling"],
  ["docs://a/caf%C3%A9%20au%20lait?a=%26%3D%25", null],
  ["docs://a/*", "what a rule calls a folder"],
  ["docs://a\\b", "no plain uri"],
  ["docs://a b", "no plain uri"],
  ["docs://\u202ea", "no plain uri"],
  ["docs://a\n", "no plain uri"],
  ["/etc/passwd", "no plain uri"],
  ["", "no plain uri"],
  [`docs://${"a/".repeat(40)}`, "folders"],
  [`docs://${"a".repeat(600)}`, "longer"],
])("%j: %s", (uri, problem) => {
  if (problem === null) expect(uriProblem(uri)).toBe(null);
  else expect(uriProblem(uri)).toContain(problem);
});

test("a uri lies in each folder above it, also behind several slashes, and in none that only begins like one", () => {
  expect(uriFolders("docs://a/b/c")).toEqual(["docs:/*", "docs://*", "docs://a/*", "docs://a/b/*"]);
  expect(uriFolders("docs://a//b")).toContain("docs://a/*");
  expect(uriFolders("docs://ab/c")).not.toContain("docs://a/*");
  expect(uriFolders("docs://a?x=/b/")).toEqual(["docs:/*", "docs://*"]);
});

test.each([
  ["docs://{id}", "docs://7", true],
  ["docs://{id}", "docs://", false],
  ["docs://{id}", "docs://7/8", false],
  ["docs://{id}", "docs://7?x", false],
  ["docs://{id}/data", "docs://7/data", true],
  ["docs://{id}/data", "docs://7/8/data", false],
  ["docs://{id}/data", "docs://7/data/", false],
  ["docs://{+path}", "docs://7/8", true],
  ["docs://{+path}.md", "docs://a.md/b.md", true],
  ["docs://{a}-{b}", "docs://x-y-z", true],
  ["docs://{a}{b}", "docs://x", false],
  ["docs://{a}{b}", "docs://xy", true],
  ["docs://{a}.", "xdocs://a.", false],
  ["docs://(.*){a}", "docs://(.*)b", true],
  ["docs://(.*){a}", "docs://zb", false],
])("%s makes %s: %s", (template, uri, makes) => {
  expect(templateProblem(template)).toBe(null);
  expect(matchesTemplate(template, uri)).toBe(makes);
});

test.each([
  ["docs://all", "no variable"],
  ["{+everything}", "no plain uri"],
  ["docs://{a}/../{b}", "no plain uri"],
  ["docs://{?q}", "not understood"],
  ["docs://{a,b}", "not understood"],
  ["docs://{a", "braces"],
  ["docs://{}", "not understood"],
  [`docs://${"{a}".repeat(9)}`, "variables"],
])("%s is no template: %s", (template, problem) => {
  expect(templateProblem(template)).toContain(problem);
});

test("what could take long does not: many variables over a long uri of one character", () => {
  const template = `docs://${"{+a}x".repeat(8)}y`;
  for (let round = 0; round < 200; round += 1)
    expect(matchesTemplate(template, `docs://${"x".repeat(500)}`)).toBe(false);
});
