/** Addresses and secrets of a webhook that would tell what is asked to somebody else. */
import type { Configuration } from "@femtoclaw/protocol";
import { expect, it } from "vitest";
import { temporaryHome } from "../runtime-fixture.ts";

const webhook = (url: string, key: object = { key_env: "HOOK" }, more: Configuration = {}) =>
  temporaryHome().configuration({ ...more, approvals: { webhook: { url, ...key } } }).approvals.webhook;

it.each([
  "http://127.0.0.1:8080/a?b=c",
  "http://127.9.9.9/",
  "http://[::1]:8080/",
  "http://localhost:1/",
  "https://example.com/hook",
])("takes %s", (url) => {
  expect(webhook(url)).toEqual({ url, key: { variable: "HOOK" } });
});

it.each([
  ["http://example.com/", /expected https/],
  ["http://127.0.0.1.example.com/", /expected https/],
  ["http://localhost.example.com/", /expected https/],
  ["http://0.0.0.0/", /expected https/],
  ["http://[::ffff:10.0.0.1]/", /expected https/],
  ["http://127.0.0.1@example.com/", /user or password/],
  ["https://user:word@example.com/", /user or password/],
  ["https://example.com/#x", /expected an address/],
  ["https://", /expected an address/],
])("refuses %s", (url, message) => {
  expect(() => webhook(url)).toThrow(message);
});

it("another spelling of this machine is this machine", () => {
  expect(webhook("http://2130706433/")?.url).toBe("http://127.0.0.1/");
});

it.each([
  [{}, {}, /expected one of/],
  [{ key_env: "A", key_file: "b" }, {}, /expected one of/],
  [{ key_env: "HOOK" }, { sandbox: { env: ["HOOK"] } }, /would pass it to programs/],
  [{ key_file: "a\0b" }, {}, /NUL/],
])("refuses a secret %j", (key, more, message) => {
  expect(() => webhook("https://example.com/", key, more)).toThrow(message);
});

it("puts the file of the secret out of every call's reach", () => {
  const home = temporaryHome();
  const approvals = { webhook: { url: "https://example.com/", key_file: "hook.key" } };
  expect(home.configuration({ approvals }).authority.floor).toContain(`${home.root}/hook.key`);
});
