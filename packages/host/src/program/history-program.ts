/** The command line of what looks back: `executions`, `replay`, `fork` and `snapshots`. */
import type { ExecutionStatus } from "@femtoclaw/protocol";
import { type Command, Option } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { FollowOptions } from "../commands/history/follow-executions.ts";
import type { ListOptions } from "../commands/history/history.ts";
import { sequenceNumber } from "./option-values.ts";

const EXECUTION_STATUSES = [
  "completed",
  "denied",
  "error",
  "pending",
  "interrupted",
] as const satisfies ExecutionStatus[];

export function addHistoryCommands(program: Command, run: Runner): void {
  addExecutionCommands(program, run);
  addUndoCommand(program, run);
  addReplayCommands(program, run);
  addForkCommand(program, run);
  addSnapshotCommands(program, run);
}

function addExecutionCommands(program: Command, run: Runner): void {
  const executions = program.command("executions").description("executions: calls that were executed or refused");
  executions
    .command("list")
    .option("--all", "list all, not only the newest")
    .addOption(new Option("--state <status>", "only those with this status").choices(EXECUTION_STATUSES))
    .option("--session <id>", "only those of this session")
    .addOption(new Option("--follow", "keep listing new ones, oldest first, until Ctrl-C").conflicts("all"))
    .addOption(
      new Option("--output", "with --follow: show what programs write while they run").implies({ follow: true }),
    )
    .description("list executions, newest first")
    .action(({ follow = false, ...options }: ListOptions & FollowOptions & { follow?: boolean }) =>
      run(async (context) =>
        follow
          ? (await import("../commands/history/follow-executions.ts")).followExecutions(context, options)
          : (await import("../commands/history/history.ts")).listExecutions(context, options),
      ),
    );
  executions
    .command("show")
    .argument("<ref>", "number of one of its records, or its identifier")
    .description("show one execution with its records")
    .action((id: string) =>
      run(async (context) => (await import("../commands/history/history.ts")).showExecution(context, id)),
    );
  executions
    .command("follow")
    .argument("<ref>", "number of a record of an execution that is running or waits for an operator, or its identifier")
    .description("show what its program writes while it runs, then its outcome")
    .action((id: string) =>
      run(async (context) => (await import("../commands/history/follow-output.ts")).followOutput(context, id)),
    );
  executions
    .command("resolve")
    .argument("<ref>", "number of a record of an interrupted execution, or its identifier")
    .option("--done", "its effect happened")
    .addOption(new Option("--not-done", "its effect did not happen").conflicts("done"))
    .requiredOption("--reason <text>", "how you know")
    .description("record the outcome of an interrupted execution; runs nothing")
    .action((id: string, options: { done?: boolean; notDone?: boolean; reason: string }) =>
      run(async (context) => (await import("../commands/history/history.ts")).resolveExecution(context, id, options)),
    );
}

function addUndoCommand(program: Command, run: Runner): void {
  program
    .command("undo")
    .argument("<ref>", "number of a record of an execution that changed a file, or its identifier")
    .description("undo an execution's change to a file, with a new call that the policy decides on")
    .action((execution: string) =>
      run(async (context) => (await import("../commands/history/undo.ts")).undoExecution(context, execution)),
    );
}

function addReplayCommands(program: Command, run: Runner): void {
  const commands = () => import("../commands/history/replay.ts");
  const key = ["--key <file>", "public key that was kept elsewhere, instead of the remembered one"] as const;
  const path = [
    "[path]",
    "state directory of a stopped host, a copy of one, or an exported tree; it is verified first",
  ] as const;
  const replay = program
    .command("replay")
    .enablePositionalOptions()
    .argument(...path)
    .option("--to <seq>", "last record to fold", sequenceNumber)
    .option("--from <snapshot>", "start at the snapshot after this record, after proving it", sequenceNumber)
    .option("--recompute", "fold with the machine version that each record names, and compare the results")
    .option(...key)
    .description("fold the journal and show the state of every actor; runs no effect")
    .action((path: string | undefined, options: { to?: number; from?: number; recompute?: boolean; key?: string }) =>
      run(async (context) => (await commands()).replayHistory(context, path, options)),
    );
  replay
    .command("diff")
    .argument("<a>", "sequence number of a record", sequenceNumber)
    .argument("<b>", "sequence number of another record", sequenceNumber)
    .argument(...path)
    .option(...key)
    .description("compare the states after two records")
    .action((a: number, b: number, path: string | undefined, options: { key?: string }) =>
      run(async (context) => (await commands()).diffHistory(context, [a, b], path, options)),
    );
}

function addForkCommand(program: Command, run: Runner): void {
  program
    .command("fork")
    .argument("<seq>", "last record that the fork contains", sequenceNumber)
    .requiredOption("--out <dir>", "state directory for the fork; it must be empty or not exist yet")
    .description("create a state directory that continues from a record of this log; runs nothing")
    .action((seq: number, options: { out: string }) =>
      run(async (context) => (await import("../commands/history/fork.ts")).fork(context, seq, options)),
    );
}

function addSnapshotCommands(program: Command, run: Runner): void {
  const commands = () => import("../commands/history/snapshots.ts");
  const snapshots = program.command("snapshots").description("stored actor states of a stopped journal");
  snapshots
    .command("list")
    .description("list snapshots, each by the last record that it covers")
    .action(() => run(async (context) => (await commands()).listSnapshots(context)));
  snapshots
    .command("show")
    .argument("<seq>", "last record that it covers", sequenceNumber)
    .description("show one snapshot")
    .action((seq: number) => run(async (context) => (await commands()).showSnapshot(context, seq)));
  snapshots
    .command("verify")
    .argument("<seq>", "last record that it covers", sequenceNumber)
    .description("fold all records up to it and compare the result")
    .action((seq: number) => run(async (context) => (await commands()).verifySnapshot(context, seq)));
  snapshots
    .command("export")
    .argument("<seq>", "last record that it covers", sequenceNumber)
    .requiredOption("--out <file>", "file that must not exist yet")
    .description("write one snapshot as JSON")
    .action((seq: number, options: { out: string }) =>
      run(async (context) => (await commands()).exportSnapshot(context, seq, options)),
    );
}
