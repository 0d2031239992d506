/** `secrets`: reads values here and sends them to the host over the operator's socket. Nothing prints one. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { DEFAULT_PORTS, EXIT, FemtoError, fetchPattern, LIMITS, printable, systemErrorCode } from "@femtoclaw/protocol";
import { table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

/** LIMIT: time for a program that prints a value. The program may ask somebody for a password. */
const COMMAND_MS = 120_000;

interface AddOptions {
  readonly for: string;
  readonly file?: string;
}

export async function addSecret(
  context: CommandContext,
  name: string,
  command: readonly string[],
  options: AddOptions,
): Promise<number> {
  const pattern = fetchPattern(options.for);
  if ("problem" in pattern) throw invalid(`--for: ${pattern.problem}`);
  if (pattern.hosts !== "one") throw invalid("--for must be the exact name of one host");
  const { host } = pattern;
  const port = pattern.port ?? DEFAULT_PORTS.https;
  const value = readValue(command, options);
  await using operator = await context.operator();
  await operator.addSecret({ name, host, port, value });
  if (context.output.json) context.output.value({ name, host, port });
  else context.output.prose(`stored for ${host}:${port}; a header refers to it as secret://${printable(name, 64)}`);
  return EXIT.ok;
}

export async function listSecrets(context: CommandContext): Promise<number> {
  await using operator = await context.operator();
  const secrets = await operator.secrets();
  if (context.output.json) context.output.value(secrets);
  else if (secrets.length === 0) context.output.talk("no secret is stored");
  else
    for (const line of table(secrets.map(({ name, host, port }) => [name, `${host}:${port}`])))
      context.output.line(line);
  return EXIT.ok;
}

export async function removeSecret(context: CommandContext, name: string): Promise<number> {
  await using operator = await context.operator();
  await operator.removeSecret(name);
  if (context.output.json) context.output.value({ removed: name });
  else context.output.line("removed");
  return EXIT.ok;
}

/** One line ending after the value does not belong to it. */
function readValue(command: readonly string[], { file }: AddOptions): string {
  if (file !== undefined && command.length > 0)
    throw invalid("the value comes from a file or from a program, not both");
  const [program, ...args] = command;
  if (program !== undefined) return printed(program, args);
  if (file === undefined && process.stdin.isTTY) {
    throw invalid("the value is read from stdin, which would show it as you type; pipe it in, or use --file");
  }
  return trimmed(readSome(file ?? 0));
}

function printed(program: string, args: readonly string[]): string {
  try {
    const stdio: ["inherit", "pipe", "inherit"] = ["inherit", "pipe", "inherit"];
    return trimmed(execFileSync(program, args, { stdio, timeout: COMMAND_MS, maxBuffer: 2 * LIMITS.secretChars }));
  } catch (error) {
    // The error contains what the program printed, so its text is shown to nobody.
    const cause = systemErrorCode(error) ?? "it failed";
    throw invalid(`${printable(program, 200)} gave no value (${cause})`);
  }
}

function readSome(source: string | number): Buffer {
  const bytes = Buffer.alloc(2 * LIMITS.secretChars);
  let total = 0;
  try {
    const descriptor = typeof source === "number" ? source : openSync(source, "r");
    try {
      for (let read = -1; read !== 0 && total < bytes.length; total += read)
        read = readSync(descriptor, bytes, total, bytes.length - total, null);
    } finally {
      if (typeof source !== "number") closeSync(descriptor);
    }
  } catch (error) {
    const name = typeof source === "number" ? "stdin" : printable(source, 200);
    throw invalid(`${name} cannot be read (${systemErrorCode(error) ?? "unknown cause"})`);
  }
  return bytes.subarray(0, total);
}

const trimmed = (bytes: Buffer): string => bytes.toString("utf8").replace(/\r?\n$/, "");

function invalid(message: string): FemtoError {
  return new FemtoError("FEMTO_SECRET_INVALID", message);
}
