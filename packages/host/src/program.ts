/**
 * The command line: names, options and help. The code of each command is in commands/ and is loaded only when the
 * command is called, because printing help needs no policy engine.
 */
import { EXIT, faultOf, printable, VERSION, visibleJson } from "@femtoclaw/protocol";
import { Argument, Command, CommanderError, Help, Option } from "commander";
import { addBenchCommand } from "#bench";
import { addApprovalCommands } from "./approvals-program.ts";
import { addAuditCommands } from "./audit-program.ts";
import { addChatCommand } from "./chat-program.ts";
import type { GlobalOptions, Runner } from "./commands/command-context.ts";
import type { ConformanceFlags } from "./commands/conformance.ts";
import type { CallOptions, ProposerOptions } from "./commands/propose.ts";
import type { Shell } from "./completion.ts";
import { addHelpCommand } from "./help-command.ts";
import { addExamples } from "./help-examples.ts";
import { addHistoryCommands } from "./history-program.ts";
import { addHookCommand } from "./hook-program.ts";
import { addInspectCommands } from "./inspect-program.ts";
import { addInstallationCommands } from "./installation-program.ts";
import { addMcpCommand } from "./mcp-program.ts";
import { milliseconds, placeName } from "./option-values.ts";
import { addPackageCommands } from "./packages-program.ts";
import { addPolicyCommands } from "./policy-program.ts";
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
    const { CommandContext } = await import("./commands/command-context.ts");
    exit = await action(new CommandContext(globals));
  };
  const program = makeProgram(run, (command) => {
    globals = globalsOf(command);
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return fail(error, globals.json ?? false);
  }
}

/**
 * The whole command line. `run` does what a command says. `reached` is told which command the words lead to, before the
 * command acts and before anything is said about wrong words.
 */
export function makeProgram(run: Runner, reached: (command: Command) => void): Command {
  const program: Command = new Command("femtoclaw")
    .description("Execution authority: an agent proposes; FemtoClaw decides, executes and records.")
    .version(VERSION, "--version", "print the version")
    .configureHelp({
      showGlobalOptions: true,
      // The options of `replay` itself do not apply to `replay diff`.
      visibleGlobalOptions(command): Option[] {
        const options = new Help().visibleGlobalOptions.call(this, command);
        return options.filter((option) => program.options.includes(option));
      },
    })
    .enablePositionalOptions()
    .hook("preAction", (_program, command) => reached(command));
  program.commandsGroup("Begin:");
  addProjectCommands(program, run);
  program.commandsGroup("Run a host:");
  addHostCommands(program, run);
  program.commandsGroup("Propose:");
  addCallCommands(program, run);
  addMcpCommand(program, run);
  addRunCommand(program, run);
  addChatCommand(program, run);
  addHookCommand(program, run);
  program.commandsGroup("Decide:");
  addApprovalCommands(program, run);
  addPolicyCommands(program, run);
  addOperatorCommands(program, run);
  addSecretCommands(program, run);
  program.commandsGroup("Look back:");
  addHistoryCommands(program, run);
  addTerminalCommands(program, run);
  addAuditCommands(program, run);
  addInspectCommands(program, run);
  program.commandsGroup("Operate:");
  addRecoveryCommands(program, run);
  addInstallationCommands(program, run);
  addConformanceCommand(program, run);
  addCompletionCommand(program, run);
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

function addProjectCommands(program: Command, run: Runner): void {
  program
    .command("init")
    .argument("[dir]", "folder of the project")
    .option("--preset <name>", "read-only, node, python or git", "read-only")
    .option("--yes", "ask nothing")
    .description("write a configuration that denies by default, and trust it")
    .action((dir: string | undefined, options: { preset?: string }) =>
      run(async (context) => (await import("./commands/project.ts")).init(context, dir, options)),
    );
  program
    .command("trust")
    .argument("[dir]", "folder of the project")
    .option("--list", "list what is trusted")
    .option("--revoke", "withdraw the trust")
    .description("show what a project's configuration would allow, and trust its present contents")
    .action((dir: string | undefined, options: { list?: boolean; revoke?: boolean }) =>
      run(async (context) => (await import("./commands/project.ts")).trust(context, dir, options)),
    );
  program
    .command("doctor")
    .description("test what FemtoClaw relies on: sandbox, policy, permissions, journal, disk")
    .action(() => run(async (context) => (await import("./commands/doctor.ts")).doctor(context)));
  program
    .command("demo")
    .option("--fresh", "begin with an empty journal")
    .description("let a scripted agent propose to a real host under ./.femtoclaw-demo")
    .action((options: { fresh?: boolean }) =>
      run(async (context) => (await import("./demo/demo.ts")).demo(context, options)),
    );
  addBenchCommand(program, run);
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
        for (const line of completionScript(program, shell).trimEnd().split("\n")) output.line(line);
        return EXIT.ok;
      }),
    );
}

function addConformanceCommand(program: Command, run: Runner): void {
  program
    .command("conformance")
    .option("--bin <file>", "executable to check, instead of this one")
    .option("--installed", "also check the deployment of this configuration as it is now")
    .option("--from <file>", "executable of the same signer to upgrade from, instead of an earlier version of it")
    .option("--rebuilt <file>", "another build of it, which must be identical")
    .option("--full", "also watch resource use over a hundred thousand executions")
    .description("check each clause of the deployment specification from outside")
    .action((options: ConformanceFlags) =>
      run(async (context) => (await import("./commands/conformance.ts")).conformance(context, options)),
    );
}

function addHostCommands(program: Command, run: Runner): void {
  program
    .command("up")
    .option("--detach", "return when the host is ready, and leave it running")
    .description("start the host")
    .action(async (options: { detach?: boolean }) => {
      if (options.detach === true) {
        await run(async (context) => (await import("./commands/up-detached.ts")).upDetached(context));
      } else {
        (await import("@femtoclaw/policy/begin-engine")).beginEngine();
        await run(async (context) => (await import("./commands/up.ts")).up(context));
      }
    });
  program
    .command("down")
    .option("--now", "cancel running calls instead of waiting for them")
    .description("stop the host")
    .action((options: { now?: boolean }) =>
      run(async (context) => (await import("./commands/host.ts")).down(context, options)),
    );
  program
    .command("halt")
    .argument("<session>", "identifier of a session, from `femtoclaw status`")
    .option("--reason <text>", "reason, which is recorded")
    .description("stop a session: no more of its calls begin, and running ones end")
    .action((session: string, options: { reason?: string }) =>
      run(async (context) => (await import("./commands/host.ts")).halt(context, session, options)),
    );
  program
    .command("reload")
    .description("put the present policy of the configuration in force")
    .action(() => run(async (context) => (await import("./commands/host.ts")).reload(context)));
  program
    .command("status")
    .description("show the running host")
    .action(() => run(async (context) => (await import("./commands/status.ts")).status(context)));
}

function addCallCommands(program: Command, run: Runner): void {
  program
    .command("call")
    .argument("<tool>", "name of the capability")
    .argument("[args]", "arguments as JSON, or - to read them from stdin")
    .option("--timeout <ms>", "how long to wait for the answer", milliseconds)
    .option("--label <text>", "a name for this call, recorded with it")
    .option("--stream", "show what its program writes while it runs")
    .option("--traceparent <value>", "W3C trace context that the call is part of")
    .option("--tracestate <value>", "W3C trace state that belongs to --traceparent")
    .option("--agent <name>", "propose as the agent [agent.NAME]")
    .option("--embedded", "open the state directory in this process instead of asking a host")
    .description("propose one tool call")
    .action((tool: string, args: string | undefined, options: CallOptions) =>
      run(async (context) => (await import("./commands/propose.ts")).call(context, tool, args, options)),
    );
  program
    .command("send")
    .option("--agent <name>", "propose as the agent [agent.NAME]")
    .option("--embedded", "open the state directory in this process instead of asking a host")
    .description("propose raw protocol messages: one on each line of stdin, one reply on each line of stdout")
    .action((options: ProposerOptions) =>
      run(async (context) => (await import("./commands/propose.ts")).send(context, options)),
    );
}

function addOperatorCommands(program: Command, run: Runner): void {
  const capabilities = program.command("capabilities").description("capabilities of the running host");
  capabilities
    .command("list")
    .description("list capabilities")
    .action(() => run(async (context) => (await import("./commands/capabilities.ts")).listCapabilities(context)));
  addPackageCommands(capabilities, run);
  for (const verb of ["enable", "disable"] as const) {
    capabilities
      .command(verb)
      .argument("<name>", "name of the capability")
      .description(`${verb} a capability`)
      .action((name: string) =>
        run(async (context) => (await import("./commands/capabilities.ts")).switchCapability(context, name, verb)),
      );
  }
}

function fail(error: unknown, json: boolean): number {
  const fault = faultOf(error);
  const { code, type, message, fix } = fault;
  process.stderr.write(`femtoclaw: ${code}: ${printableLines(message)}\n  fix: ${printableLines(fix)}\n`);
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
