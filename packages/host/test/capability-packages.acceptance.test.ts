/** A capability of others through a real host: refused until an operator accepts its files, and again when they change. */
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CONFIGURATION, Playground } from "./playground.ts";

const EXAMPLE = join(import.meta.dirname, "../../../examples/custom-capability/word-count");

interface Listed {
  readonly name: string;
  readonly origin: string;
  readonly isolation: string;
  readonly pin: string | null;
}

interface Shown {
  readonly manifest: { readonly effect: string };
  readonly package: { readonly state: string; readonly files: { readonly name: string; readonly state: string }[] };
}

test("an operator looks at a package, accepts it, and is asked again when it changes", async () => {
  const package_ = 'fs_list = false\nword_count = { package = "caps" }';
  await using place = new Playground(CONFIGURATION.replace("fs_list = false", package_));
  cpSync(EXAMPLE, join(place.project, "caps"), { recursive: true });
  // A group may be able to change a clone.
  execFileSync("chmod", ["-R", "go-w", join(place.project, "caps")]);
  const host = await place.up();
  const call = async () => await place.propose("word_count", { path: "notes.txt" });
  const listed = async () =>
    (await place.json<Listed[]>(["capabilities", "list"])).value.find(({ name }) => name === "word_count");

  expect((await call()).error?.code).toBe("FEMTO_TOOL_QUARANTINED");
  expect(await listed()).toMatchObject({ origin: "package", isolation: "sandbox", pin: "quarantined" });
  // Where nobody can be asked nobody has agreed.
  const unasked = await place.run(["capabilities", "accept", "word_count"]);
  expect([unasked.code, unasked.stdout]).toEqual([1, ""]);
  expect(unasked.stderr).toContain("main.ts");
  expect((await call()).status).toBe("denied");

  expect((await place.run(["capabilities", "accept", "word_count", "--yes"])).code).toBe(0);
  expect(await call()).toMatchObject({ status: "completed", result: { words: 2 } });
  const denied = await place.propose("word_count", { path: "secrets/token.txt" });
  expect(denied).toMatchObject({ status: "denied", policy: { rules: ["toml/deny.read/1"] } });

  appendFileSync(join(place.project, "caps/main.ts"), "\n// changed\n");
  expect((await call()).error?.reason).toContain("main.ts differs");
  const { value } = await place.json<Shown>(["capabilities", "show", "word_count"]);
  expect(value.manifest.effect).toBe("read");
  expect(value.package.state).toBe("quarantined");
  expect(value.package.files.map(({ name, state }) => `${name} ${state}`)).toEqual([
    "capability.json offered",
    "main.ts changed",
    "package.json offered",
  ]);

  using operator = await place.socket("operator");
  const sha256 = "0".repeat(64);
  for (const fields of [
    { name: "word_count", files: "all" },
    { name: "word_count", files: [{ name: "main.ts", sha256: "short" }] },
    { name: "word_count", files: Array.from({ length: 2 }, () => ({ name: "main.ts", sha256 })) },
    { name: "word_count", files: Array.from({ length: 641 }, (_, index) => ({ name: `${index}.ts`, sha256 })) },
    { name: 1, files: [] },
    { name: "nobody", files: [{ name: "main.ts", sha256 }] },
    { name: "word_count", files: [], more: true },
  ]) {
    expect((await operator.ask({ id: 1, verb: "capabilities.accept", ...fields })).ok).toBe(false);
  }
  expect((await operator.ask({ id: 2, verb: "capabilities.reset", name: "word_count" })).ok).toBe(true);
  expect((await call()).error?.reason).toContain("not accepted by an operator yet");
  host.kill("SIGTERM");
  expect(await host.ended).toBe(0);
});
