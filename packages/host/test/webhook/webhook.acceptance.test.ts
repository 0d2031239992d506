/** A webhook of a real host: told of what is asked, answered, expired and withdrawn, after a crash too; and never more than told. */
import { chmodSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { CONFIGURATION, type Host, Playground } from "../playground.ts";
import { isGenuine, KEY, Receiver } from "./receiver.ts";

const asking = (url: string, more = "", expires = 600_000): string =>
  `${CONFIGURATION.replace('run = { echo = ["*"], cat', "run = { cat")}
[ask.run]
echo = ["*"]
[approvals]
expires_ms = ${expires}
[approvals.webhook]
url = "${url}"
${more === "" ? 'key_file = "../hook.key"' : more}
`;

const echo = (place: Playground, text: string) => place.propose("process_exec", { bin: "echo", argv: [text] });

async function answer(place: Playground, verb: "allow" | "deny", id: string | undefined): Promise<void> {
  expect((await place.run(["approvals", verb, id ?? ""])).code).toBe(0);
}

test("is told of each question and how it ended, over a crash, and decides nothing by what it answers", async () => {
  const receiver = await Receiver.open();
  // What it answers would be a yes, if anybody read it.
  receiver.answer = (_, response) =>
    response.writeHead(200, { "content-type": "application/json" }).end('{"answer":"granted","decision":"allow"}');
  await using place = new Playground(asking(receiver.url));
  place.write("hook.key", `${KEY}\n`);
  chmodSync(`${place.root}/hook.key`, 0o600);
  const told = async (...events: string[]): Promise<void> => await expect.poll(() => receiver.told).toEqual(events);

  let host: Host = await place.up();
  const first = await echo(place, "hunter2");
  const [id] = [first.approval?.id];
  await told(`asked ${id}`);
  const [asked] = receiver.received;
  expect(asked !== undefined && isGenuine(asked, KEY)).toBe(true);
  expect(asked?.message).toMatchObject({ tool: "process_exec", rule: "toml/ask.run.echo/1", answer: null });
  const shown = await place.json<readonly { readonly digest: string; readonly expires_at: string }[]>([
    "approvals",
    "list",
  ]);
  expect(shown.value).toMatchObject([{ digest: asked?.message.digest, expires_at: asked?.message.expires_at }]);
  // It is still open, whatever was answered; a host that was killed tells of it again, by the same identifier.
  host.kill("SIGKILL");
  await host.ended;
  host = await place.up();
  await told(`asked ${id}`, `asked ${id}`);
  const ids = receiver.received.map(({ headers }) => headers["webhook-id"]);
  expect(new Set(ids).size).toBe(1);
  await answer(place, "deny", id);
  await told(`asked ${id}`, `asked ${id}`, `answered ${id}`);
  expect(receiver.received.at(-1)?.message.answer).toEqual({
    answer: "refused",
    complete: true,
    by: expect.stringMatching(/^uid:\d+$/) as string,
  });
  // Arguments are in no message.
  expect(JSON.stringify(receiver.received)).not.toContain("hunter2");
  expect((await place.run(["status"])).stdout).toMatch(/webhook .*127\.0\.0\.1:\d+: 2 told, 0 waiting/);
  expect(host.log()).not.toContain(KEY);
});

test("that hangs or is down delays no call, is told of by status and doctor, and hears of the end of what waited", async () => {
  const receiver = await Receiver.open();
  const held: IncomingMessage[] = [];
  receiver.answer = (request) => void held.push(request);
  await using place = new Playground(asking(receiver.url, 'key_env = "HOOK"', 3_000));
  await place.up([], { env: { HOOK: KEY } });
  const pending = await echo(place, "a");
  expect(pending.status).toBe("pending");
  for (let n = 0; n < 5; n += 1) {
    expect(await place.propose("process_exec", { bin: "cat", argv: ["notes.txt"] })).toMatchObject({
      status: "completed",
    });
  }
  await expect.poll(() => receiver.told).toEqual([`asked ${pending.approval?.id}`]);
  receiver.answer = (_, response) => response.writeHead(500).end();
  for (const request of held) request.socket.destroy();
  await using operator = await place.operator();
  const fault = async (): Promise<unknown> => (await operator.status())["webhook"];
  await expect.poll(fault).toMatchObject({ error: expect.stringMatching(/status 500|could not be reached/) });
  expect((await place.run(["doctor"], { env: { HOOK: KEY } })).stdout).toMatch(
    /warn +webhook .*(status 500|could not be reached)/,
  );
  receiver.answer = (_, response) => response.writeHead(204).end();
  await expect.poll(() => receiver.told).toContain(`expired ${pending.approval?.id}`);
});

test("without a secret that is private no host starts, and no call reaches the secret", async () => {
  await using place = new Playground(asking("https://192.0.2.1/hook"));
  expect((await place.run(["up"])).stderr).toContain("hook.key, is not there");
  place.write("hook.key", "short");
  chmodSync(`${place.root}/hook.key`, 0o600);
  expect((await place.run(["up"])).stderr).toContain("holds 5 characters");
  place.write("hook.key", KEY);
  chmodSync(`${place.root}/hook.key`, 0o644);
  expect((await place.run(["up"])).stderr).toContain("has mode 644");
  chmodSync(`${place.root}/hook.key`, 0o600);
  place.configure(asking("https://192.0.2.1/hook", 'key_file = "hook.key"').replace('read = ["secrets"]', "read = []"));
  place.write("p/hook.key", KEY);
  chmodSync(`${place.project}/hook.key`, 0o600);
  await place.up();
  expect(await place.propose("fs_read", { path: "hook.key" })).toMatchObject({
    policy: { rules: ["floor/own-files"] },
  });
  const cat = await place.propose("process_exec", { bin: "cat", argv: ["hook.key"] });
  expect(JSON.stringify(cat)).not.toContain(KEY);
  expect(cat.result?.["exit_code"] ?? 1).not.toBe(0);
});
