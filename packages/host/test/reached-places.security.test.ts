/** Keys and secrets of a log are put where no call reads them: in a fork and in what is restored as in a backup. */
import { existsSync } from "node:fs";
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
        expect.stringMatching(/_REFUSED: calls may reach .*\n {2}fix: Name a place outside/),
      ]);
      expect(existsSync(to)).toBe(false);
    }
    for (const to of [join(place.project, "secrets", what), join(place.root, what)]) {
      const { code, stderr } = await place.run(put(what, to));
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    }
  },
);

test("a restore where no configuration is asks none", async () => {
  const to = join(place.root, "elsewhere");
  const env = { FEMTOCLAW_CONFIG: undefined };
  expect((await place.run(put("restore", to), { env, cwd: place.folder("nowhere") })).code).toBe(0);
});
