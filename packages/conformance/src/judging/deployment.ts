/** Clauses 2 and 3: what is deployed, and where it runs. */
import { type Clause, claim, demand, type Judgement, notChecked, on } from "../judgement.ts";
import type { Executable, Observations } from "../observations.ts";

const FROM_SOURCES = "this is a checkout that runs by the Node.js beside it; name an executable with --bin";

/** Judges a standalone executable. A checkout is none, and proves nothing about one. */
function onStandalone(judge: (executable: Executable) => Judgement): (seen: Observations) => Judgement {
  return on("executable", (executable) => (executable.isStandalone ? judge(executable) : notChecked(FROM_SOURCES)));
}

export const deploymentClauses: readonly Clause[] = [
  {
    id: "2.1",
    demands: "deployed as one standalone executable",
    judge: onStandalone(({ alone }) =>
      demand(claim(alone === 0, "a host is ready with nothing on its path", `by itself it ends with ${alone}`)),
    ),
  },
  {
    id: "2.2",
    demands: "a native process, with no virtual machine or runtime to be installed",
    judge: onStandalone(({ format, alone }) =>
      demand(
        claim(
          ["ELF", "PE", "Mach-O"].includes(format),
          `a ${format} file; its JavaScript engine is inside it`,
          "no native executable",
        ),
        claim(alone === 0, "a host is ready without any other runtime", `without other programs it ends with ${alone}`),
      ),
    ),
  },
  {
    id: "2.3",
    demands: "nothing in its environment gets authority over the runtime",
    judge: onStandalone(({ injected }) =>
      demand(
        claim(
          injected.length === 0,
          "NODE_OPTIONS and its kin run nothing in it",
          `code was run in it by ${injected.join(", ")}`,
        ),
      ),
    ),
  },
  {
    id: "3.1",
    demands: "runs on servers, desktops and small machines of every common system",
    judge: () =>
      notChecked(
        `seen on ${process.platform}-${process.arch} alone; that an executable was built for another system says nothing of how it runs there`,
      ),
  },
  {
    id: "3.2",
    demands: "behaves the same in every environment",
    judge: on("life", ({ replay }) => {
      const seen = demand(
        claim(replay.sameElsewhere, "", "a replay in another language and time zone gives other states"),
      );
      if (seen.verdict === "fails") return seen;
      return notChecked("the same states in another language and time zone; other processors were not tried");
    }),
  },
];
