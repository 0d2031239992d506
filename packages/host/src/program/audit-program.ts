/** The command line of `audit` and `keys`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { PruneBoundary } from "../commands/audit/audit.ts";
import type { Runner } from "../commands/command-context.ts";
import type { ExportFormat } from "../log/log-access.ts";

export function addAuditCommands(program: Command, run: Runner): void {
  const commands = () => import("../commands/audit/audit.ts");
  const audit = program.command("audit").description("verify, prove and export the journal");
  audit
    .command("verify")
    .argument("[path]", "state directory of a stopped host, a copy of one, or an exported tree")
    .option("--key <file>", "public key that was kept elsewhere, instead of the remembered one")
    .option("--checkpoint <file>", "checkpoint that was kept elsewhere, instead of the remembered one")
    .option("--witness <file>", "file of a file witness; the log must continue every checkpoint in it")
    .description("recompute every hash and check every signature, without changing anything")
    .action((path: string | undefined, options: { key?: string; checkpoint?: string; witness?: string }) =>
      run(async (context) => (await commands()).verify(context, path, options)),
    );
  audit
    .command("prove")
    .argument("<ref>", "sequence number of a record, or identifier of an execution")
    .option("--out <file>", "file for the proof; the record's bytes go to FILE.record")
    .description("prove that a record is in the signed log")
    .action((ref: string, options: { out?: string }) =>
      run(async (context) => (await commands()).prove(context, ref, options)),
    );
  audit
    .command("check-proof")
    .argument("<file>", "proof")
    .requiredOption("--record <file>", "bytes of the record")
    .requiredOption("--key <file>", "public key of the log")
    .description("check a proof, independently of this installation")
    .action((file: string, options: { record: string; key: string }) =>
      run(async (context) => (await commands()).check(context, file, options)),
    );
  audit
    .command("checkpoint")
    .description("print a signed checkpoint to keep elsewhere")
    .action(() => run(async (context) => (await commands()).checkpoint(context)));
  audit
    .command("forget")
    .description("forget what was seen of the log, after you deleted it or restored a backup")
    .action(() => run(async (context) => (await import("../commands/host/known-log.ts")).forgetLog(context)));
  audit
    .command("log")
    .description("list the checkpoints")
    .action(() => run(async (context) => (await commands()).log(context)));
  audit
    .command("export")
    .addOption(
      new Option("--format <name>", "form of the export").choices(["tiles", "jsonl", "ocsf"]).makeOptionMandatory(),
    )
    .requiredOption("--out <path>", "folder or file for the export; it must not exist yet")
    .option("--with-values", "also write the values that records commit to, unencrypted, to PATH.values.jsonl")
    .description("export the log in a form that can be verified without FemtoClaw")
    .action((options: { format: ExportFormat; out: string; withValues?: boolean }) =>
      run(async (context) => (await commands()).exportLog(context, options)),
    );
  addWitnessCommands(audit, run);
  addRetentionCommands(audit, run);
  addKeyCommands(program, run);
}

function addKeyCommands(program: Command, run: Runner): void {
  const keys = program.command("keys").description("keys that sign the journal, and keys of operators");
  keys
    .command("show")
    .description("print the log's name and public keys")
    .action(() => run(async (context) => (await import("../commands/audit/keys.ts")).showKeys(context)));
  keys
    .command("rotate")
    .description("replace the key of the running host with a new one")
    .action(() => run(async (context) => (await import("../commands/audit/keys.ts")).rotateKey(context)));
  keys
    .command("operator")
    .argument("<name>", "name of the operator in records and lists")
    .requiredOption("--out <file>", "file for the private key; it must not exist yet")
    .option("--no-passphrase", "do not encrypt the key: anyone who can read the file can answer")
    .description("create a key with which an operator signs answers")
    .action((name: string, options: { out: string; passphrase: boolean }) =>
      run(async (context) => (await import("../commands/audit/keys.ts")).makeOperatorKey(context, name, options)),
    );
}

function addWitnessCommands(audit: Command, run: Runner): void {
  const commands = () => import("../commands/audit/witness.ts");
  const witness = audit.command("witness").description("witnesses, which hold checkpoints of the log elsewhere");
  witness
    .command("list", { isDefault: true })
    .description("list the configured witnesses, their newest checkpoints and their failures")
    .action(() => run(async (context) => (await commands()).listWitnesses(context)));
  witness
    .command("serve")
    .requiredOption("--dir <dir>", "the witness's own folder, for its key and its checkpoints")
    .option("--listen <address>", "address on this machine's loopback interface", "127.0.0.1:7380")
    .requiredOption("--log <vkey...>", "public key of a log to accept; can be repeated")
    .description("serve as a witness for other logs (C2SP tlog-witness)")
    .action((options: { dir: string; listen: string; log: string[] }) =>
      run(async (context) => (await commands()).serveWitness(context, options)),
    );
}

function addRetentionCommands(audit: Command, run: Runner): void {
  const commands = () => import("../commands/audit/audit.ts");
  audit
    .command("erase")
    .argument("<ref>", "sequence number of a record, or identifier of an execution")
    .option("--field <pointer>", "only the values at or below this JSON pointer in the body, such as /result/stdout")
    .requiredOption("--reason <text>", "reason, which is recorded")
    .description("erase values that records commit to, permanently; records and proofs stay")
    .action((ref: string, options: { field?: string; reason: string }) =>
      run(async (context) => (await commands()).erase(context, ref, options)),
    );
  audit
    .command("prune")
    .requiredOption("--before <boundary>", "sequence number, or an age such as 90d or 12h", boundary)
    .option("--yes", "drop the records; without this option only show what would be dropped")
    .description("drop the oldest records permanently; their hashes, checkpoints and keys stay")
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
