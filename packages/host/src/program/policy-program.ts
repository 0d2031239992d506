/** The command line of `policy`. */
import { type Command, InvalidArgumentError } from "commander";
import type { Runner } from "../commands/command-context.ts";
import type { PolicyShadowOptions } from "../commands/policy/policy-shadow.ts";
import { sequenceNumber } from "./option-values.ts";

export function addPolicyCommands(program: Command, run: Runner): void {
  const policy = program.command("policy").description("the rules in force, and what they decided");
  policy
    .command("check")
    .description("compile, validate and try out the policy")
    .action(() => run(async (context) => (await import("../commands/policy/policy.ts")).checkPolicy(context)));
  policy
    .command("show")
    .option("--schema", "print the vocabulary of Cedar files instead")
    .description("print the compiled rules with their origins")
    .action((options: { schema?: boolean }) =>
      run(async (context) => (await import("../commands/policy/policy.ts")).showPolicy(context, options)),
    );
  policy
    .command("test")
    .description("run the policy's own tests, policy/*.test.toml; executes nothing")
    .action(() => run(async (context) => (await import("../commands/policy/policy.ts")).runTests(context)));
  addHindsightCommands(policy, run);
}

/** Commands that look at past decisions. */
function addHindsightCommands(policy: Command, run: Runner): void {
  const key = ["--key <file>", "public key that was kept elsewhere, instead of the remembered one"] as const;
  policy
    .command("why")
    .argument("<ref>", "number of a record, or identifier of an execution")
    .option(
      "--journal <path>",
      "state directory of a stopped host, a copy of one, or an exported tree; it is verified first",
    )
    .option(...key)
    .description("explain a decision, and what would change it")
    .action((ref: string, options: { journal?: string; key?: string }) =>
      run(async (context) => (await import("../commands/policy/policy-why.ts")).policyWhy(context, ref, options)),
    );
  policy
    .command("allow")
    .argument("<ref>", "number of a record, or identifier of an execution")
    .option("--yes", "write the entry without asking")
    .option(
      "--unsafe",
      "also write an entry that lets an agent choose what code runs, or reach what trusts this machine",
    )
    .description("propose the narrowest entry for a refused call, and write it if you agree")
    .action((ref: string, options: { yes?: boolean; unsafe?: boolean }) =>
      run(async (context) => (await import("../commands/policy/policy-allow.ts")).policyAllow(context, ref, options)),
    );
  policy
    .command("diff")
    .requiredOption("--against-journal [path]", "log whose calls are decided again; without a path, the configured one")
    .option(...key)
    .option("--since <seq>", "first record to look at", sequenceNumber)
    .option("--recorded", "decide by the policy of each record, to check the records")
    .description("show how the configuration would have decided recorded calls")
    .action((options: { againstJournal: string | true; key?: string; since?: number; recorded?: boolean }) =>
      run(async (context) => (await import("../commands/policy/policy-diff.ts")).policyDiff(context, options)),
    );
  policy
    .command("shadow")
    .option("--since <seq>", "first record to look at", sequenceNumber)
    .option("--revision <sha256>", "first digits of the revision on trial; without it, the newest", revision)
    .option("--recorded", "decide by the recorded rules again, to check the records")
    .option(
      "--journal <path>",
      "state directory of a stopped host, a copy of one, or an exported tree; it is verified first",
    )
    .option(...key)
    .description("show where the rules on trial ([shadow]) and the rules in force differed")
    .action((options: PolicyShadowOptions) =>
      run(async (context) => (await import("../commands/policy/policy-shadow.ts")).policyShadow(context, options)),
    );
  policy
    .command("learn")
    .option("--since <seq>", "first record to look at", sequenceNumber)
    .option("--out <file>", "file for the draft; it must not exist yet")
    .option(
      "--journal <path>",
      "state directory of a stopped host, a copy of one, or an exported tree; it is verified first",
    )
    .option(...key)
    .description("draft entries from refused calls; the draft has no effect")
    .action((options: { since?: number; out?: string; journal?: string; key?: string }) =>
      run(async (context) => (await import("../commands/policy/policy-learn.ts")).policyLearn(context, options)),
    );
}

function revision(text: string): string {
  if (!/^[0-9a-f]{8,64}$/.test(text)) throw new InvalidArgumentError("It must be 8 to 64 digits of a revision.");
  return text;
}
