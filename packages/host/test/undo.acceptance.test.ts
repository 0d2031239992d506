/** An operator takes back on the command line what an agent did to files, also after the host was killed. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Reply } from "@femtoclaw/protocol";
import { expect, test } from "vitest";
import { Playground } from "./playground.ts";

const NAMES = ["fs_read", "fs_write", "fs_edit", "fs_delete", "fs_move", "fs_mkdir", "fs_list", "fs_search", "fs_stat"];
const CONFIGURATION = `
workspace = "."
[capabilities]
${NAMES.map((name) => `${name} = true`).join("\n")}
[allow]
read = ["."]
write = ["./out"]
[ask]
write = ["./out/asked"]
[deny]
read = ["./secrets"]
[memory]
path = "../state"
[host]
runtime_dir = "../run"
`;

test("edits and deletes, is shown and taken back by an operator, also after kill -9", async () => {
  await using place = new Playground(CONFIGURATION);
  place.write("p/out/a.txt", "one\ntwo  \nthree\n");
  place.write("p/out/asked/b.txt", "b\n");
  let host = await place.up();
  const text = (name: string): string => readFileSync(join(place.project, name), "utf8");

  const edited = (await place.call("fs_edit", { path: "out/a.txt", old: "two  ", new: "2" })).value;
  expect(edited).toMatchObject({ status: "completed" });
  const removed = (await place.call("fs_delete", { path: "out/asked/b.txt" })).value;
  expect(removed).toMatchObject({ status: "pending" });
  const found = await place.call("fs_search", { path: ".", pattern: "hunter2" });
  expect(found.value.result).toMatchObject({ matches: [] });

  host.kill("SIGKILL");
  await host.ended;
  host = await place.up();
  const undone = await place.json<Reply>(["undo", edited.execution_id]);
  expect(undone).toMatchObject({ code: 0, value: { status: "completed", decision: "AUTHORIZED" } });
  expect(text("out/a.txt")).toBe("one\ntwo  \nthree\n");
  const again = await place.run(["undo", edited.execution_id]);
  expect(again).toMatchObject({ code: 1, stdout: expect.stringContaining("FEMTO_FILE_CHANGED") });
  expect(again.stderr).toContain("is not what the execution left");

  // A link or a pipe in its place is not even looked at.
  const odd = join(place.project, "out/a.txt");
  for (const put of [() => symlinkSync("asked/b.txt", odd), () => execFileSync("mkfifo", [odd])]) {
    rmSync(odd);
    put();
    const undo = await place.run(["undo", edited.execution_id]);
    expect(undo).toMatchObject({ code: 65, stdout: expect.stringContaining("FEMTO_FACTS_FAILED") });
    expect(undo.stderr).toContain("cannot be examined as a file or folder, so nothing was changed");
  }

  // A deletion that an operator allowed; to bring the file back asks again, as any change there does.
  const allowed = await place.run(["approvals", "allow", String(removed.approval?.id)]);
  expect(allowed.code).toBe(0);
  await using client = await place.agent();
  expect(await client.wait(removed.execution_id)).toMatchObject({ status: "completed" });
  expect(existsSync(join(place.project, "out/asked/b.txt"))).toBe(false);
  const asked = await place.json<Reply>(["undo", removed.execution_id]);
  expect(asked).toMatchObject({ code: 75, value: { status: "pending" } });
  await place.run(["approvals", "allow", String(asked.value.approval?.id)]);
  expect(await client.wait(asked.value.execution_id)).toMatchObject({ status: "completed" });
  expect(text("out/asked/b.txt")).toBe("b\n");

  const pending = (await place.call("fs_edit", { path: "out/asked/b.txt", old: "b\n", new: "b\u001b[2J \n" })).value;
  const card = (await place.run(["approvals", "show", String(pending.approval?.id)])).stdout;
  expect(card).toMatch(/change +- b\n +\+ b\\u\{1b\}\[2J\\u\{20\}/);
  const impossible = await place.run(["undo", pending.execution_id]);
  expect(impossible).toMatchObject({ code: 1, stderr: expect.stringContaining("FEMTO_UNDO_IMPOSSIBLE") });
});

test("an execution is named by any of its records, in the running host and in the journal of a stopped one", async () => {
  await using place = new Playground(CONFIGURATION);
  place.write("p/out/a.txt", "one\n");
  const host = await place.up();
  const edited = (await place.call("fs_edit", { path: "out/a.txt", old: "one", new: "two" })).value;
  const outcome = edited.record?.seq ?? 0;
  const shown = async (ref: number) =>
    (await place.json<Reply>(["executions", "show", String(ref)])).value.execution_id;
  expect(await shown(outcome)).toBe(edited.execution_id);
  expect(await shown(outcome - 1)).toBe(edited.execution_id);
  expect((await place.run(["undo", String(outcome)])).code).toBe(0);
  expect(readFileSync(join(place.project, "out/a.txt"), "utf8")).toBe("one\n");

  const boot = await place.run(["executions", "show", "0"]);
  expect(boot).toMatchObject({ code: 1, stderr: expect.stringContaining("record 0 (log.created) belongs to no") });
  for (const verb of [
    ["undo", "999999"],
    ["executions", "show", "999999"],
    ["executions", "follow", "999999"],
  ]) {
    expect((await place.run(verb)).stderr).toContain("there is no record 999999; the journal has");
  }
  host.kill("SIGTERM");
  await host.ended;
  expect(await shown(outcome)).toBe(edited.execution_id);
});

test("advice names the record and the capability, so that its commands can be typed as they are shown", async () => {
  await using place = new Playground(CONFIGURATION);
  place.write("p/secrets/key.txt", "not for agents\n");
  await place.up();
  const denied = (await place.call("fs_read", { path: "secrets/key.txt" })).value;
  const seq = denied.record?.seq ?? 0;
  expect(denied.error?.fix).toContain(`\`femtoclaw policy why ${seq}\``);
  expect((await place.json<Reply>(["executions", "show", String(seq)])).value.error?.fix).toBe(denied.error?.fix);
  expect((await place.run(["policy", "why", String(seq)])).stdout).toContain("toml/deny.read/1");
  expect((await place.call("fs_read", {})).value.error?.fix).toContain("`femtoclaw capabilities show fs_read`");
  const disabled = (await place.call("net_fetch", { url: "https://example.com" })).value;
  expect(disabled.error?.fix).toContain("`femtoclaw capabilities enable net_fetch`");
});
