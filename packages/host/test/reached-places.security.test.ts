/** Keys, secrets and records of a log are put where no call reads them: in a fork, in what is restored, in what is exported. */
import { existsSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Playground } from "./playground.ts";

let place: Playground;
let backup: string;
beforeAll(async () => {
  place = new Playground();
  await place.run(["call", "--embedded", "process_exec", '{"bin":"echo","argv":["hello"]}']);
  backup = join(place.folder("backups"), "b");
  expect((await place.run(["backup", "--out", backup])).code).toBe(0);
});
afterAll(() => place[Symbol.asyncDispose]());

const put = (what: "fork" | "restore", to: string): readonly string[] =>
  what === "fork" ? ["fork", "3", "--out", to] : ["--state", to, "restore", backup];

test.each(["fork", "restore"] as const)(
  "%s puts nothing where calls read, and something where they are denied",
  async (what) => {
    for (const within of ["", "out/"]) {
      const to = join(place.project, `${within}${what}`);
      const { code, stderr } = await place.run(put(what, to));
      expect([code, stderr]).toEqual([
        70,
        expect.stringMatching(/_REFUSED: calls may reach .*\n {2}fix: Name a path outside/),
      ]);
      expect(existsSync(to)).toBe(false);
    }
    // Denied by itself, and not what would lie beside it while it is made.
    place.remove(join(place.project, "secrets"));
    const { code, stderr } = await place.run(put(what, join(place.project, "secrets")));
    expect([code, stderr]).toEqual([70, expect.stringMatching(/_REFUSED: calls may reach /)]);
    place.folder("p/secrets");
    for (const to of [join(place.project, "secrets", what), join(place.root, what)]) {
      const { code, stderr } = await place.run(put(what, to));
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    }
  },
);

test.each([
  ["audit", "export", "--format", "tiles", "--with-values", "--out"],
  ["audit", "export", "--format", "jsonl", "--with-values", "--out"],
  ["audit", "export", "--format", "jsonl", "--out"],
  ["audit", "export", "--format", "ocsf", "--out"],
  ["audit", "prove", "3", "--out"],
  ["snapshots", "export", "SNAPSHOT", "--out"],
  ["inspect", "export", "--html"],
  ["keys", "operator", "carol", "--no-passphrase", "--out"],
])("%s %s %s puts nothing where calls read, and something where they are denied", async (...command) => {
  const { value: snapshots } = await place.json<number[]>(["snapshots", "list"]);
  const words = command.map((word) => (word === "SNAPSHOT" ? String(snapshots.at(-1)) : word));
  const linked = join(place.root, "linked");
  if (!existsSync(linked)) symlinkSync(place.project, linked);
  // The last is denied by itself, and what would lie beside it is not.
  for (const to of ["written", "out/written", "../linked/written", "secrets"]) {
    if (to === "secrets") place.remove(join(place.project, to));
    const { code, stderr } = await place.run([...words, to]);
    expect([to, code, stderr]).toEqual([
      to,
      70,
      expect.stringMatching(/FEMTO_EXPORT_FAILED: calls may reach .*\n {2}fix: Name a path outside/),
    ]);
  }
  expect([readdirSync(place.project), readdirSync(join(place.project, "out"))]).toEqual([
    ["femtoclaw.toml", "notes.txt", "out", "restore"].filter((name) => existsSync(join(place.project, name))),
    [],
  ]);
  place.folder("p/secrets");
  for (const to of ["secrets/written", "../written"]) {
    const { code, stderr } = await place.run([...words, to]);
    expect([to, code, stderr]).toEqual([to, 0, expect.any(String)]);
  }
  for (const name of readdirSync(place.root)) if (name.startsWith("written")) place.remove(join(place.root, name));
});

test("a recording of a terminal goes to no place that calls read, whichever it is", async () => {
  expect(await place.run(["terminal", "export", "none", "--out", "written"])).toMatchObject({
    code: 70,
    stderr: expect.stringContaining("FEMTO_EXPORT_FAILED: calls may reach"),
  });
});

test("a restore where no configuration is asks none", async () => {
  const to = join(place.root, "elsewhere");
  const env = { FEMTOCLAW_CONFIG: undefined };
  expect((await place.run(put("restore", to), { env, cwd: place.folder("nowhere") })).code).toBe(0);
});
