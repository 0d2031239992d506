/** What is in the memory of a host is shown to nobody: not to who reads where its core file goes, and not to who finds a debugger. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Playground, SOURCES } from "./playground.ts";

const SECRET = `in-memory-${"alone"}-4417`;
const WITH_CORES = ["/bin/sh", "-c", 'ulimit -c unlimited 2>/dev/null; exec "$@"', "sh", ...SOURCES] as const;

test("a core file of a host, and of a program that it runs, has no memory in it", async () => {
  await using place = new Playground(undefined, WITH_CORES);
  const before = readdirSync(place.project);
  const host = await place.up();
  expect((await place.run(["secrets", "add", "token", "--for", "example.com"], { input: SECRET })).code).toBe(0);
  // What a core file takes is said there, whether this machine writes one or not.
  expect(readFileSync(`/proc/${host.pid}/coredump_filter`, "utf8")).toBe("00000000\n");
  const child = await place.propose("process_exec", { bin: "cat", argv: ["/proc/self/coredump_filter"] });
  expect(child.result).toMatchObject({ stdout: "00000000\n" });
  host.kill("SIGSEGV");
  await host.ended;
  const cores = readdirSync(place.project).filter((name) => !before.includes(name));
  for (const name of cores) expect(readFileSync(join(place.project, name)).includes(SECRET)).toBe(false);
}, 60_000);

test("a signal opens no debugger", async () => {
  await using place = new Playground();
  const host = await place.up();
  host.kill("SIGUSR1");
  expect((await place.propose("fs_read", { path: "notes.txt" })).status).toBe("completed");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await place.down();
  expect(host.log()).not.toContain("ebugger");
});
