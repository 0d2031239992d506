/** What a shell completes, asked of a real shell. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { Playground } from "./playground.ts";

test("bash completes commands, their own commands and their options, behind options too", async () => {
  await using place = new Playground();
  const { stdout: script, code } = await place.run(["completion", "bash"]);
  expect(code).toBe(0);
  const completed = (...typed: string[]): string[] => {
    const line = `COMP_WORDS=(femtoclaw "$@"); COMP_CWORD=$#; _femtoclaw; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const shown = execFileSync("bash", ["--norc", "-c", `${script}\n${line}`, "bash", ...typed], { encoding: "utf8" });
    return shown.split("\n").filter((word) => word !== "");
  };
  expect(completed("inspec")).toEqual(["inspect"]);
  expect(completed("--json", "policy", "sh")).toEqual(["show", "shadow"]);
  expect(completed("audit", "verify", "--k")).toEqual(["--key"]);
  expect(completed("call", "fs_read", "--emb")).toEqual(["--embedded"]);
  // What is no word of its own is left to the shell, which completes files.
  expect(completed("audit", "verify", "./rec")).toEqual([]);
});

test("the other shells get the same words, and no shell has to quote one", async () => {
  await using place = new Playground();
  const words = async (shell: string): Promise<string[]> => {
    const { stdout } = await place.run(["completion", shell]);
    return [...new Set(stdout.match(/--?[a-z][a-z-]*|\/[a-z/-]+/g))].sort();
  };
  const bash = await words("bash");
  for (const shell of ["zsh", "fish"]) {
    const own = await words(shell);
    expect(
      bash.filter((word) => word.startsWith("--") || word.startsWith("/")).filter((word) => !own.includes(word)),
    ).toEqual([]);
  }
  expect(await place.run(["completion", "tcsh"])).toMatchObject({ code: 64 });
});
