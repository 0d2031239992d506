/**
 * The command line: names, options and help. The code of each command is in commands/ and is loaded only when the
 * command is called, because printing help needs no policy engine.
 */
import { EXIT, FemtoError, faultOf, printable, VERSION, visibleJson } from "@femtoclaw/protocol";
import { Argument, Command, CommanderError, Help, Option } from "commander";
import { addBenchCommand } from "#bench";
import type { GlobalOptions, Runner } from "../commands/command-context.ts";
import { columnsOf } from "../terminal/output.ts";
import { prose } from "../terminal/prose.ts";
import { addApprovalCommands } from "./approvals-program.ts";
import { addAuditCommands } from "./audit-program.ts";
import { addCapabilityCommands } from "./capabilities-program.ts";
import { addChatCommand } from "./chat-program.ts";
import type { Shell } from "./completion.ts";
import { addConformanceCommand } from "./conformance-program.ts";
import { addHelpCommand } from "./help-command.ts";
import { addExamples } from "./help-examples.ts";
import { addHistoryCommands } from "./history-program.ts";
import { addHookCommand } from "./hook-program.ts";
import { addHostCommands } from "./host-program.ts";
import { addInspectCommands } from "./inspect-program.ts";
import { addInstallationCommands } from "./installation-program.ts";
import { addMcpCommand } from "./mcp-program.ts";
import { placeName } from "./option-values.ts";
import { addPolicyCommands } from "./policy-program.ts";
import { addProjectCommands } from "./project-program.ts";
import { addProposeCommands } from "./propose-program.ts";
import { addRecoveryCommands } from "./recovery-program.ts";
import { addRunCommand } from "./run-program.ts";
import { addSecretCommands } from "./secrets-program.ts";
import { addTerminalCommands } from "./terminal-program.ts";
import { usageFault } from "./usage-fault.ts";

/** Runs the command line; resolves with the exit code. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  let exit: number = EXIT.ok;
  let globals: GlobalOptions = {};
  const run: Runner = async (action) => {
    const { CommandContext } = await import("../commands/command-context.ts");
    const context = new CommandContext(globals);
    try {
      exit = await action(context);
    } catch (error) {
      if (!(error instanceof FemtoError) || error.code !== "FEMTO_HOST_SILENT") throw error;
      throw (await import("../commands/host/silent-host.ts")).withProcess(error, context);
    }
  };
  const reached = (command: Command): void => {
    globals = globalsOf(command);
  };
  const program = makeProgram(run, { reached, named: commandIn(argv) });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return fail(error, globals.json ?? false);
  }
}

/** Adds commands to the program. */
type Add = (program: Command, run: Runner) => void;

/**
 * All commands, under the headings of the help, by the names that each part adds. A process makes only the part that it
 * was called for: all of them are some seven hundred options, and each takes its time.
 */
const PARTS: readonly (readonly [
  heading: string,
  parts: readonly (readonly [names: readonly string[], add: Add])[],
])[] = [
  [
    "Begin:",
    [
      [["init", "trust", "doctor", "demo"], addProjectCommands],
      [["bench"], addBenchCommand],
    ],
  ],
  ["Run a host:", [[["up", "down", "halt", "reload", "status"], addHostCommands]]],
  [
    "Propose:",
    [
      [["call", "send"], addProposeCommands],
      [["mcp"], addMcpCommand],
      [["run"], addRunCommand],
      [["chat"], addChatCommand],
      [["hook"], addHookCommand],
    ],
  ],
  [
    "Decide:",
    [
      [["approvals"], addApprovalCommands],
      [["policy"], addPolicyCommands],
      [["capabilities"], addCapabilityCommands],
      [["secrets"], addSecretCommands],
    ],
  ],
  [
    "Look back:",
    [
      [["executions", "undo", "replay", "fork", "snapshots"], addHistoryCommands],
      [["terminal"], addTerminalCommands],
      [["audit", "keys"], addAuditCommands],
      [["inspect"], addInspectCommands],
    ],
  ],
  [
    "Operate:",
    [
      [["backup", "restore", "report"], addRecoveryCommands],
      [["install", "uninstall", "upgrade", "rollback"], addInstallationCommands],
      [["conformance"], addConformanceCommand],
      [["completion"], addCompletionCommand],
    ],
  ],
];

export interface ProgramOptions {
  /** Is told which command the words lead to, before the command acts and before anything is said about wrong words. */
  readonly reached?: (command: Command) => void;
  /** A word. Only the commands of the part that has a command of this name are made, or all if there is none. */
  readonly named?: string | undefined;
}

/** The command line. `run` does what a command says. */
export function makeProgram(run: Runner, { reached = () => undefined, named }: ProgramOptions = {}): Command {
  const isMade = PARTS.some(([, parts]) => parts.some(([names]) => names.includes(named ?? "")));
  const only = isMade ? named : undefined;
  const program: Command = new Command("femtoclaw")
    .description("Execution authority: an agent proposes; FemtoClaw decides, executes and records.")
    .version(VERSION, "--version", "print the version")
    .configureHelp({
      showGlobalOptions: true,
      minWidthToWrap: DESCRIPTION_MIN,
      // The options of `replay` itself do not apply to `replay diff`.
      visibleGlobalOptions(command): Option[] {
        const options = new Help().visibleGlobalOptions.call(this, command);
        return options.filter((option) => program.options.includes(option));
      },
    })
    .enablePositionalOptions()
    .hook("preAction", (_program, command) => reached(command));
  for (const [heading, parts] of PARTS) {
    program.commandsGroup(heading);
    for (const [names, add] of parts) if (only === undefined || names.includes(only)) add(program, run);
  }
  finish(program, reached);
  return program;
}

/**
 * Options that may stand before or after a command. If a command has an option of the same name, a word after the
 * command means that option.
 */
const GLOBAL_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ["--config <file>", "configuration file"],
  ["--state <dir>", "state directory, instead of [memory].path"],
  ["--json", "print JSON on stdout"],
  ["--quiet", "print only errors on stderr"],
];

/** The command that the words name, if only global options stand before it; `--help` before it is about all commands. */
function commandIn(argv: readonly string[]): string | undefined {
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    const global = GLOBAL_OPTIONS.find(([flags]) => flags.split(" ")[0] === word);
    if (global === undefined) return word;
    if (global[0] !== word) at += 1;
  }
  return undefined;
}

/** LIMIT: least width of descriptions in a help text, in characters. A terminal without that room wraps them itself. */
const DESCRIPTION_MIN = 20;

/** Options and arguments whose values name a file or folder. */
const PLACE = /<(?:file|dir)>$|^(?:file|dir)$/;

/** Usage errors always end in an exception, so that a single place reports them and decides on exit codes. */
function finish(command: Command, reached: (command: Command) => void): void {
  command.exitOverride((error) => {
    reached(command);
    throw usageFault(command, error) ?? error;
  });
  command.configureOutput({ outputError: () => undefined }).helpOption("--help", "print this help");
  for (const [flags, description] of GLOBAL_OPTIONS) {
    const option = new Option(flags, description).hideHelp(command.parent !== null);
    if (command.options.some(({ long }) => long === option.long)) continue;
    command.addOption(option);
  }
  for (const named of [...command.options, ...command.registeredArguments]) {
    const name = named instanceof Option ? named.flags : named.name();
    if (PLACE.test(name) && !named.variadic) named.argParser(named.parseArg ?? placeName);
  }
  addExamples(command);
  if (command.commands.length > 0) addHelpCommand(command);
  for (const child of command.commands) finish(child, reached);
}

/** The nearest word counts: an option after a command wins over the same option before it. */
function globalsOf(command: Command): GlobalOptions {
  const outer = command.parent === null ? {} : globalsOf(command.parent);
  const own = command.options
    .filter(({ flags }) => GLOBAL_OPTIONS.some(([global]) => global === flags))
    .map((option) => [option.attributeName(), command.getOptionValue(option.attributeName())])
    .filter(([, value]) => value !== undefined);
  return { ...outer, ...Object.fromEntries(own) };
}

const SHELLS = ["bash", "zsh", "fish"] as const satisfies Shell[];

function addCompletionCommand(program: Command, run: Runner): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .description("print a script that lets a shell complete commands and options")
    .action((shell: Shell) =>
      run(async ({ output }) => {
        const { completionScript } = await import("./completion.ts");
        for (const line of completionScript(makeProgram(run), shell).trimEnd().split("\n")) output.line(line);
        return EXIT.ok;
      }),
    );
}

function fail(error: unknown, json: boolean): number {
  const fault = faultOf(error);
  const { code, type, message, fix } = fault;
  const told = `femtoclaw: ${code}: ${printableLines(message)}\n  fix: ${printableLines(fix)}`;
  process.stderr.write(`${prose(told, columnsOf(process.stderr))}\n`);
  if (code === "FEMTO_INTERNAL" && error instanceof Error)
    process.stderr.write(`${printableLines(error.stack ?? "")}\n`);
  if (json) process.stdout.write(`${visibleJson({ error: { code, error_type: type, reason: message, fix } })}\n`);
  return fault.exit;
}

/** A message may have several lines of its own. Everything else that is not text is made visible. */
function printableLines(text: string): string {
  return text
    .split("\n")
    .map((line) => printable(line, 4_096))
    .join("\n");
}
