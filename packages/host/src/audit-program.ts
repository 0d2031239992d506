/** The command line of `audit` and `keys`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { PruneBoundary } from "./commands/audit.ts";
import type { Runner } from "./commands/command-context.ts";
import type { ExportFormat } from "./log-access.ts";

export function addAuditCommands(program: Command, run: Runner): void {
  const commands = () => import("./commands/audit.ts");
  const audit = program.command("audit").description("what an auditor asks of the journal");
  audit
    .command("verify")
    .argument("[path]", "stopped state directory, a copy of one, or an exported tree")
    .option("--key <file>", "public key that was kept elsewhere, instead of the remembered one")
    .option("--checkpoint <file>", "checkpoint that was kept elsewhere, instead of the remembered one")
    .option("--witness <file>", "file of a file witness; the log must go on from all that it holds")
    .description("recompute every hash and check every signature; changes nothing")
    .action((path: string | undefined, options: { key?: string; checkpoint?: string; witness?: string }) =>
      run(async (context) => (await commands()).verify(context, path, options)),
    );
  audit
    .command("prove")
    .argument("<ref>", "sequence number of a record, or identifier of an execution")
    .option("--out <file>", "write the proof there, and the record's bytes to FILE.record")
    .description("prove that a record stands in the signed log")
    .action((ref: string, options: { out?: string }) =>
      run(async (context) => (await commands()).prove(context, ref, options)),
    );
  audit
    .command("check-proof")
    .argument("<file>", "proof")
    .requiredOption("--record <file>", "bytes of the record")
    .requiredOption("--key <file>", "public key of the log")
    .description("check a proof; needs nothing of this installation")
    .action((file: string, options: { record: string; key: string }) =>
      run(async (context) => (await commands()).check(context, file, options)),
    );
  audit
    .command("checkpoint")
    .description("print a signed checkpoint, to be kept elsewhere")
    .action(() => run(async (context) => (await commands()).checkpoint(context)));
  audit
    .command("forget")
    .description("forget what was seen of the log, after you threw it away or restored a backup")
    .action(() => run(async (context) => (await import("./commands/known-log.ts")).forgetLog(context)));
  audit
    .command("log")
    .description("list the checkpoints")
    .action(() => run(async (context) => (await commands()).log(context)));
  audit
    .command("export")
    .addOption(
      new Option("--format <name>", "form of the export").choices(["tiles", "jsonl", "ocsf"]).makeOptionMandatory(),
    )
    .requiredOption("--out <path>", "folder or file that must not exist yet")
    .option("--with-values", "write the values that records commit to, in clear, to PATH.values.jsonl")
    .description("write the log where it can be verified without FemtoClaw")
    .action((options: { format: ExportFormat; out: string; withValues?: boolean }) =>
      run(async (context) => (await commands()).exportLog(context, options)),
    );
  addWitnessCommands(audit, run);
  addRetentionCommands(audit, run);
  addKeyCommands(program, run);
}

function addKeyCommands(program: Command, run: Runner): void {
  const keys = program.command("keys").description("the keys that sign the journal, and those of operators");
  keys
    .command("show")
    .description("print the log's name and public keys")
    .action(() => run(async (context) => (await import("./commands/keys.ts")).showKeys(context)));
  keys
    .command("rotate")
    .description("retire the key of the running host for a new one")
    .action(() => run(async (context) => (await import("./commands/keys.ts")).rotateKey(context)));
  keys
    .command("operator")
    .argument("<name>", "by which records and lists know the operator")
    .requiredOption("--out <file>", "where the private key goes; it must not be there yet")
    .option("--no-passphrase", "write the key as it is: whoever reads the file can answer")
    .description("make the key of an operator, who signs answers with it")
    .action((name: string, options: { out: string; passphrase: boolean }) =>
      run(async (context) => (await import("./commands/keys.ts")).makeOperatorKey(context, name, options)),
    );
}

function addWitnessCommands(audit: Command, run: Runner): void {
  const commands = () => import("./commands/witness.ts");
  const witness = audit.command("witness").description("who holds checkpoints of the log elsewhere");
  witness
    .command("list", { isDefault: true })
    .description("list the configured witnesses, what they took last and what went wrong")
    .action(() => run(async (context) => (await commands()).listWitnesses(context)));
  witness
    .command("serve")
    .requiredOption("--dir <dir>", "folder of the witness's own, for its key and what it holds")
    .option("--listen <address>", "address on this machine's loopback", "127.0.0.1:7380")
    .requiredOption("--log <vkey...>", "public key of a log; each log whose checkpoints are taken")
    .description("be a witness for other logs (C2SP tlog-witness)")
    .action((options: { dir: string; listen: string; log: string[] }) =>
      run(async (context) => (await commands()).serveWitness(context, options)),
    );
}

function addRetentionCommands(audit: Command, run: Runner): void {
  const commands = () => import("./commands/audit.ts");
  audit
    .command("erase")
    .argument("<ref>", "sequence number of a record, or identifier of an execution")
    .option("--field <pointer>", "only the values at or below this place of the body, such as /result/stdout")
    .requiredOption("--reason <text>", "why; recorded with it")
    .description("erase values that records commit to, for good; the records and their proofs stay")
    .action((ref: string, options: { field?: string; reason: string }) =>
      run(async (context) => (await commands()).erase(context, ref, options)),
    );
  audit
    .command("prune")
    .requiredOption("--before <boundary>", "sequence number, or an age such as 90d or 12h", boundary)
    .option("--yes", "drop them; without it only say what would go")
    .description("drop the oldest records for good; their hashes, the checkpoints and the keys stay")
    .action((options: { before: PruneBoundary; yes?: boolean }) =>
      run(async (context) => (await commands()).prune(context, options)),
    );
}

const AGES_MS = { d: 86_400_000, h: 3_600_000 } as const;

function boundary(text: string): PruneBoundary {
  const [, digits = "", unit] = /^([1-9][0-9]{0,8})([dh])?$/.exec(text) ?? [];
  if (digits === "") throw new InvalidArgumentError("It must be a sequence number, or an age such as 90d or 12h.");
  return unit === "d" || unit === "h" ? { older_than_ms: Number(digits) * AGES_MS[unit] } : { before: Number(digits) };
}
