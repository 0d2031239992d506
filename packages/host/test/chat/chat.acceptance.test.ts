/** `femtoclaw chat` as it is used: with a real host, a provider on this machine, in a pipe and on a terminal. */

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { ApprovalCard } from "@femtoclaw/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ScriptedEndpoint } from "../../../agent/test/scripted-endpoint.ts";
import { Pty } from "../../../capabilities/src/terminal/pty.ts";
import { COMMAND, CONFIGURATION, Playground } from "../playground.ts";

const KEY = "sk-nobody-may-see-this-key-0123456789";
const read = (path: string) => ({ tool: "fs_read", args: { path } });

let place: Playground;
let endpoint: ScriptedEndpoint;
beforeAll(async () => {
  endpoint = await ScriptedEndpoint.start([
    { text: "I look.", calls: [read("notes.txt"), read("secrets/token.txt")] },
    { calls: [{ tool: "process_exec", args: { bin: "date", argv: ["+%Y"] } }] },
    { text: "Some notes.\u001b]0;owned\u0007\nNo more." },
    { text: "slow ".repeat(200), after_ms: 400 },
    { text: "Here I am again." },
  ]);
  place = new Playground(
    `${CONFIGURATION}[ask]\nrun = { date = ["*"] }\n[chat]\nprovider = "openai-compatible"\nmodel = "m-1"\nbase_url = "${endpoint.url}"\nkey_file = "../key"\n`,
  );
  place.write("key", `${KEY}\n`);
  await place.up();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await endpoint[Symbol.asyncDispose]();
});

/** Says yes to the one question, once it is asked. */
async function allow(): Promise<void> {
  let id: string | undefined;
  await expect
    .poll(async () => {
      [{ id } = { id: undefined }] = (await place.json<ApprovalCard[]>(["approvals", "list"])).value;
      return id;
    })
    .toBeDefined();
  expect((await place.run(["approvals", "allow", id ?? ""])).code).toBe(0);
}

test("in a pipe the answer is on stdout, what became of calls on stderr, and the key in no file", async () => {
  const [{ code, stdout, stderr }] = await Promise.all([place.run(["chat", "What do the notes say?"]), allow()]);
  expect(code).toBe(0);
  expect(stdout).toBe("I look.\nSome notes.\\u{1b}]0;owned\\u{7}\nNo more.\n");
  expect(stderr).toContain('→ fs_read {"path":"secrets/token.txt"}');
  expect(stderr).toContain("DENIED_POLICY_VIOLATION  toml/deny.read/1");
  expect(stderr).toContain("in another terminal: femtoclaw approvals show");
  expect(stderr).toContain("toml/ask.run.date/1/granted");
  expect(endpoint.asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  const found = execFileSync("sh", ["-c", 'grep -rlF -- "$0" "$1" || true', KEY, place.root]).toString();
  expect(found.trim().split("\n")).toEqual([join(place.root, "key")]);
  const executions = (await place.executions()).map(({ tool, status }) => `${tool} ${status}`).toReversed();
  expect(executions).toEqual([
    "null completed",
    "fs_read completed",
    "fs_read denied",
    "process_exec completed",
    "null completed",
  ]);
  // No call reads the key, and no program sees it.
  expect((await place.propose("fs_read", { path: "../key" })).error?.code).toBe("FEMTO_POLICY_FORBIDDEN");
  expect(await place.propose("process_exec", { bin: "cat", argv: ["../key"] })).toMatchObject({
    result: { stdout: "" },
  });
});

test("on a terminal lines are marked, ^C ends a turn and not the chat, and ^D ends the chat", async () => {
  let screen = "";
  const { pty, child } = Pty.open({ cols: 72, rows: 24 }, (pty, device) => {
    const env = { ...place.environment, NO_COLOR: "1", TERM: "xterm" };
    const child = spawn(COMMAND[0], [COMMAND[1], "chat"], {
      cwd: place.project,
      env,
      stdio: [device, device, device],
    });
    return { pty, child };
  });
  pty.listen(
    (chunk) => (screen += chunk.toString()),
    () => undefined,
  );
  const terminal = { write: (text: string) => pty.write(Buffer.from(text)) };
  const exited = once(child, "exit");
  const seen = (text: string | RegExp) => expect.poll(() => screen).toMatch(text);
  await seen("› ");
  terminal.write("What do the notes say?\r");
  await Promise.all([allow(), seen(/│ No more\.\r\n {2}3 calls · \d+ tokens/)]);
  expect(screen).toContain("│ I look.");
  expect(screen).toContain("  → fs_read");
  expect(screen).not.toContain("\u0007");
  const before = screen.length;
  terminal.write("And slowly?\r");
  await seen(/│ slow slow/);
  terminal.write("\u0003");
  await expect.poll(() => screen.slice(before)).toContain("  cancelled");
  terminal.write("half\u0003Again.\r");
  await seen(/│ slow [\s\S]*│ slow/);
  terminal.write("\u0003");
  await expect.poll(() => screen.slice(before).split("  cancelled").length).toBe(3);
  terminal.write("\u0004");
  expect((await exited)[0]).toBe(0);
  pty.close();
});

test("what cannot work is said before anything is asked", async () => {
  const asked = endpoint.asked.length;
  const without = (...args: string[]) => place.run(["chat", ...args, "Hello."]);
  const other = ["--provider", "openai-compatible", "--base-url", endpoint.url];
  // A key goes to the endpoint that it stands beside, so that another one is asked without.
  expect(await without(...other, "--wait", "1")).toMatchObject({ code: 0 });
  expect(endpoint.asked.slice(asked).map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(await without("--key-env", "NOTHING")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("the variable NOTHING holds no key"),
  });
  expect(await without("--base-url", "http://models.example.com/v1", "--key-file", "../key")).toMatchObject({
    code: 64,
    stdout: "",
    stderr: expect.stringContaining("unencrypted"),
  });
  expect(await without("--agent", "nobody")).toMatchObject({ code: 64 });
  expect(await without("--base-url", "models.example.com")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("models.example.com is not an http or https URL"),
  });
  place.write("p/script.json", '[{"txt":"misspelt"}]');
  expect(await without("--script", "script.json")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("is no list of steps"),
  });
  place.write("p/script.json", '[{"calls":[{"tool":"fs_list","args":{"n":9007199254740993}}]}]');
  expect(await without("--script", "script.json")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("a number that cannot be held exactly"),
  });
  chmodSync(join(place.root, "key"), 0o644);
  expect(await without()).toMatchObject({ code: 70, stdout: "" });
});
