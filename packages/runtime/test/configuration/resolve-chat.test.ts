/** Whom `femtoclaw chat` talks to, and what must not become of the key. */
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChatTable } from "@femtoclaw/protocol";
import { resolveConfiguration } from "@femtoclaw/runtime";
import { afterAll, expect, test } from "vitest";

const root = realpathSync(mkdtempSync(join(tmpdir(), "femtoclaw-chat-")));
afterAll(() => rmSync(root, { recursive: true }));

function resolved(chat: ChatTable, env: string[] = []) {
  return resolveConfiguration({
    configuration: { chat, sandbox: { env }, memory: { path: "../state" } },
    baseDirectory: root,
    environment: { HOME: root },
  });
}

const local = { provider: "openai-compatible", model: "m", base_url: "http://127.0.0.1:11434/v1" } as const;

test("a key file becomes canonical and is out of every call's reach", () => {
  writeFileSync(join(root, "real-key"), "k");
  symlinkSync(join(root, "real-key"), join(root, "key"));
  const { chat, authority } = resolved({ ...local, key_file: "~/key" });
  expect(chat?.key).toEqual({ file: join(root, "real-key") });
  expect(authority.floor).toContain(join(root, "real-key"));
});

test("a local endpoint wants no key, and Anthropic no address", () => {
  expect(resolved(local).chat).toEqual(local);
  const anthropic = { provider: "anthropic", model: "m", key_env: "K" } as const;
  expect(resolved(anthropic).chat).toEqual({ provider: "anthropic", model: "m", key: { variable: "K" } });
});

test.each<[ChatTable, string[], string]>([
  [
    { ...local, base_url: "http://models.example.com/v1", key_env: "K" },
    [],
    "expected https, because a key is sent there",
  ],
  [{ ...local, base_url: "http://127.0.0.1.example.com/v1", key_env: "K" }, [], "expected https"],
  [{ ...local, base_url: "http://a:b@127.0.0.1/v1" }, [], "must not contain a user or password"],
  [{ provider: "openai-compatible", model: "m" }, [], "expected `base_url`"],
  [{ ...local, key_env: "K", key_file: "k" }, [], "expected one of"],
  [{ ...local, key_env: "K" }, ["K"], "[sandbox].env would pass it to programs"],
])("%j is refused", (chat, env, reason) => {
  expect(() => resolved(chat, env)).toThrow(reason);
});
