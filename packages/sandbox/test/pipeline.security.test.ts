/** Pipelines: what is a word stays a word, every program's end is told, and none can tell it for another. */
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SandboxRun } from "../src/children/run.ts";
import type { SandboxCommand, SandboxResult } from "../src/index.ts";
import { type Playground, playground, programOf, run } from "./playground.ts";

type Words = readonly [string, ...string[]];

function piped(place: Playground, [first, ...others]: readonly [Words, ...Words[]]): SandboxCommand {
  const stage = ([name, ...args]: Words) => ({ ...programOf(name), args });
  return { ...stage(first), into: others.map(stage), cwd: place.workspace, environment: {} };
}

async function pipe(stages: readonly [Words, ...Words[]], more: Partial<SandboxRun> = {}): Promise<SandboxResult> {
  using place = playground();
  const ran = await run(place, [], { command: piped(place, stages), ...more });
  expect(readdirSync(place.out)).toEqual([]);
  return ran;
}

const codes = ({ stages = [] }: SandboxResult) => stages.map(({ exitCode }) => exitCode);

/**
 * Perl that writes machine code into another process of its sandbox, where that waits for the kernel. Whether the kernel of
 * a machine lets it is the kernel's affair (`yama`); where it does not, it ends without having done anything.
 */
function takingOver(process: string, code: string): string {
  return `
    my ($process, $state) = (${process}, "running");
    while ($state =~ /running/) {
      open(my $file, "<", "/proc/$process/syscall") or exit;
      $state = <$file>;
    }
    my $at = hex((split " ", $state)[-1]);
    open(my $memory, "+<:raw", "/proc/$process/mem") or exit;
    ${code}
    sysseek($memory, $at, 0) and syswrite($memory, $code);`;
}

describe("a pipeline", () => {
  it("hands on what each program writes, from the input of the call to the output of the last", async () => {
    const ran = await pipe([["cat"], ["tr", "a-z", "A-Z"], ["rev"]], { stdin: Buffer.from("abc\n") });
    expect(ran).toMatchObject({ exitCode: 0, truncated: false });
    expect(ran.stdout.toString()).toBe("CBA\n");
    expect(codes(ran)).toEqual([0, 0, 0]);
  });

  it("tells how each program ended, and ends as the last one does", async () => {
    const ran = await pipe([
      ["sh", "-c", "exit 3"],
      ["sh", "-c", "kill -SEGV $$"],
      ["sh", "-c", "cat; exit 5"],
    ]);
    expect(ran).toMatchObject({ exitCode: 5, signal: null });
    expect(ran.stages).toEqual([
      { exitCode: 3, signal: null },
      { exitCode: 139, signal: "SIGSEGV" },
      { exitCode: 5, signal: null },
    ]);
    expect(codes(await pipe([["yes"], ["head", "-1"]]))).toEqual([141, 0]);
  });

  it("takes no word for text of a shell, and no word for another program's", async () => {
    const words = [
      "a b",
      "",
      "$(touch out/x)",
      "`touch out/y`",
      "*",
      "|",
      ">out/z",
      ";",
      "&",
      "'",
      '"',
      "\\",
      "\n",
      "2",
      "1",
    ];
    const ran = await pipe([["printf", "%s\\0", ...words, "--", "-e"], ["cat"]]);
    expect(ran.stdout.toString()).toBe([...words, "--", "-e"].map((word) => `${word}\0`).join(""));
  });

  it("takes many programs and words", async () => {
    const cats = Array.from({ length: 15 }, (): Words => ["cat"]);
    const ran = await pipe([["echo", ...Array.from({ length: 1_000 }, String)], ...cats]);
    expect(ran.stdout.toString().trim().split(" ")).toHaveLength(1_000);
    expect(codes(ran)).toEqual(Array.from({ length: 16 }, () => 0));
  });

  it("lets no program tell how another one ended", async () => {
    const forge = "for at in 0 1; do for to in 3 4 5 6 7 8 9; do echo $at 0 >&$to; done; done";
    const search = 'for fd in /proc/[0-9]*/fd/*; do echo "1 0" >$fd; done';
    const ran = await pipe([
      ["bash", "-c", `(${forge}; ${search}) 2>/dev/null; exit 4`],
      ["bash", "-c", "cat >/dev/null; exit 9"],
    ]);
    expect(codes(ran)).toEqual([4, 9]);
    expect(ran.exitCode).toBe(9);
    // A program that kills the shell which waits for it has no end that could be told.
    expect(codes(await pipe([["sh", "-c", "kill -9 $PPID; sleep 0.1"], ["cat"]]))).toEqual([null, 0]);
  });

  it("hears no more of the shell than there is to tell, when a program has taken it over", async () => {
    // It writes to fd 10, where the shell keeps the descriptor while a program runs without it, and does so for ever.
    const takeOver = takingOver(
      "getppid",
      String.raw`
      my $code = "\xbf\x0a\0\0\0\x48\xbe" . pack("Q<", $at & ~0xfff) . "\xba\0\x10\0\0\xb8\x01\0\0\0\x0f\x05";
      $code .= "\xeb" . pack("c", -2 - length $code);`,
    );
    const ran = await pipe([["perl", "-e", takeOver], ["cat"]]);
    expect(ran.timedOut).toBe(false);
  });

  it("is asked to end as a whole, and killed as a whole", async () => {
    const asked = await pipe(
      [
        ["sleep", "60"],
        ["sleep", "60"],
      ],
      { timeoutMs: 300 },
    );
    expect(asked).toMatchObject({ timedOut: true, exitCode: 143, signal: "SIGTERM" });
    expect(codes(asked)).toEqual([143, 143]);
    const ignores: Words = ["perl", "-e", "$SIG{TERM} = 'IGNORE'; sleep 60 while 1"];
    const killed = await pipe([ignores, ["cat"]], { timeoutMs: 300 });
    expect(killed).toMatchObject({ timedOut: true, exitCode: null, signal: "SIGKILL" });
    expect(codes(killed)[0]).toBeNull();
  });

  it("is bounded in what it writes", async () => {
    const ran = await pipe([["yes"], ["cat"]], { outputBytesMax: 10_000 });
    expect(ran).toMatchObject({ truncated: true, exitCode: null, stages: [{ exitCode: null }, { exitCode: null }] });
    expect(ran.stdout.length).toBe(10_000);
  });

  it("does not start where one of its programs is out of sight or may be changed", async () => {
    using place = playground();
    const command = piped(place, [["touch", "out/ran"], ["cat"]]);
    const movable = { program: `${place.out}/tool`, realPath: `${place.out}/tool`, args: [] };
    for (const into of [[movable], [{ ...programOf("cat"), realPath: "/opt/cat", args: [] }]]) {
      const ran = run(place, [], { command: { ...command, into } });
      await expect(ran).rejects.toMatchObject({ code: "FEMTO_SANDBOX_UNAVAILABLE" });
    }
    expect(readdirSync(place.out)).toEqual([]);
  });
});
