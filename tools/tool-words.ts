/** The words that a tool of `npm run` is given: options with one value each, its help, and what is said of words that are wrong. */
import { parseArgs } from "node:util";

/** LIMIT: exit code for words that cannot be understood, as the command has it. */
const USAGE = 64;

export interface Tool<Option extends string> {
  /** As `npm run` knows it. */
  readonly name: string;
  readonly purpose: string;
  /** What each option is: the name of its value, and what it means. */
  readonly options: Readonly<Record<Option, readonly [value: string, meaning: string]>>;
  /** What may stand beside the options. */
  readonly operands?: string;
}

export interface Words<Option extends string> {
  readonly values: Readonly<Partial<Record<Option, string>>>;
  readonly operands: readonly string[];
  /** Ends the tool where it was told something that it cannot go by: a sentence and no stack, which is for bugs. */
  refuse(reason: string): never;
}

export function toolWords<Option extends string>(tool: Tool<Option>, argv = process.argv.slice(2)): Words<Option> {
  const names = Object.keys(tool.options) as Option[];
  const refuse = (reason: string): never => {
    console.error(`npm run ${tool.name}: ${reason}\n  fix: \`npm run ${tool.name} -- --help\` shows how it is used.`);
    process.exit(USAGE);
  };
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: { ...Object.fromEntries(names.map((name) => [name, { type: "string" }])), help: { type: "boolean" } },
      allowPositionals: tool.operands !== undefined,
    });
    if (values["help"] === true) {
      console.log(helpOf(tool));
      process.exit(0);
    }
    return { values: values as Partial<Record<Option, string>>, operands: positionals, refuse };
  } catch (error) {
    if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))
      return refuse(error.message);
    throw error;
  }
}

function helpOf({ name, purpose, options, operands }: Tool<string>): string {
  const rows = Object.entries(options).map(
    ([option, [value, meaning]]) => [`--${option} <${value}>`, meaning] as const,
  );
  const width = Math.max(...rows.map(([words]) => words.length));
  const lines = rows.map(([words, meaning]) => `  ${words.padEnd(width)}  ${meaning}`);
  const usage = ["npm run", name, "--", "[options]", ...(operands === undefined ? [] : [operands])].join(" ");
  return [`Usage: ${usage}`, "", purpose, "", "Options:", ...lines].join("\n");
}
