/**
 * `policy allow`: proposes the narrowest entry that would allow a refused call, shows what else it would change, and
 * writes it after a yes.
 */
import { dirname } from "node:path";
import type { GrantProposal } from "@femtoclaw/policy";
import { EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import { type PolicyDifference, policyDifference, recordedCall } from "@femtoclaw/runtime/redecide";
import type { Entry } from "../../configuration/grant-meaning.ts";
import { grantLine } from "../../configuration/grant-text.ts";
import { grantedConfiguration } from "../../configuration/granted-configuration.ts";
import type { LoadedConfiguration } from "../../configuration/load-configuration.ts";
import { type ProjectFiles, readProjectFiles } from "../../configuration/project-files.ts";
import { replaceConfiguration } from "../../configuration/replace-configuration.ts";
import { TrustStore } from "../../configuration/trust-store.ts";
import { readDecision, withLog } from "../../policy/decision-source.ts";
import { type ExaminedCall, isExamined, judgeOf, PresentPolicy } from "../../policy/present-policy.ts";
import { failureText, testPolicy } from "../../process/preflight.ts";
import { confirms } from "../../terminal/confirm.ts";
import { differenceValue, policyDifferenceLines } from "../../terminal/policy-difference-text.ts";
import { grantLines } from "../../terminal/why-text.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";
import { refusedLog } from "./policy-log.ts";

export interface PolicyAllowOptions {
  /** Write without asking. */
  readonly yes?: boolean;
  /** Also write an entry that lets an agent choose what code runs. */
  readonly unsafe?: boolean;
}

export async function policyAllow(context: CommandContext, ref: string, options: PolicyAllowOptions): Promise<number> {
  const read = await readDecision(context, ref, {});
  if ("refused" in read) return refusedLog(context, read.refused);
  const call = recordedCall(read.value.record);
  if (call === null || !isExamined(call)) {
    const { record } = read.value;
    const told = record.type === "execution.hop" ? record.body.reason : null;
    const refused = record.type === "execution.refused" ? record.body.error : null;
    const cause = call?.obstacle ?? refused?.reason ?? told ?? "it was not decided";
    const fix = refused === null ? "" : `\nfix: ${refused.fix}`;
    return nothing(context, `no entry could allow this: ${cause}${fix}`);
  }
  const loaded = context.load();
  const project = readProjectFiles(loaded.path);
  if (project.sha256 !== loaded.sha256) {
    throw new FemtoError("FEMTO_CONFIG_INVALID", `${printable(loaded.path)} changed while it was read`, {
      fix: "Run the command again.",
    });
  }
  const present = await PresentPolicy.of(loaded);
  const now = await (await present.judge()).judge(call);
  if (now.kind === "allowed") {
    return nothing(context, `the present configuration permits it already, by ${now.rules.join(", ")}`, EXIT.ok);
  }
  const remedy = now.kind === "asks" ? await present.settlement(call, now.rules) : await present.remedy(call);
  const { grants, settled, obstacles } = remedy;
  if (obstacles.length > 0 || grants.length + settled.length === 0) {
    return nothing(context, obstacles.join("\n") || "no entry of the tables would allow it");
  }
  return await propose(context, options, { call, present, project, grants, settled });
}

function nothing({ output }: CommandContext, reason: string, exit: number = EXIT.no): number {
  if (output.json) output.value({ written: false, grants: [], no_longer_asked: [], reason });
  else for (const line of reason.split("\n")) output.prose(printable(line, 2_000));
  return exit;
}

interface Proposal {
  readonly call: ExaminedCall;
  readonly present: PresentPolicy;
  readonly project: ProjectFiles;
  readonly grants: readonly GrantProposal[];
  readonly settled: readonly Entry[];
}

async function propose(context: CommandContext, options: PolicyAllowOptions, proposal: Proposal): Promise<number> {
  const { call, present, project, grants, settled } = proposal;
  const { cwd, environment, options: globals, output } = context;
  const { resolved } = present.loaded;
  const changed = grantedConfiguration(project, resolved, proposal, { cwd, environment, stateFlag: globals.state });
  const after = await judgeOf(changed.loaded);
  const then = await after.judge(call);
  if (then.kind !== "allowed" && (then.kind !== "asks" || settled.length > 0)) {
    const cause = then.obstacle ?? (then.rules.length > 0 ? `${then.rules.join(", ")} decides` : "no rule permits it");
    return nothing(context, `the entry would not allow this call as it was recorded: ${cause}`);
  }
  const before = await present.judge();
  const read = await withLog(context, {}, (log) => policyDifference(log, { before, after }));
  if ("refused" in read) return refusedLog(context, read.refused);
  const failingTests = await testsThatFail(changed.loaded);
  const place = { directory: dirname(project.path), searchPath: resolved.authority.searchPath };
  const shown = grants.map((grant) => ({
    line: grantLine(grant, place),
    note: grant.note,
    dangerous: grant.dangerous,
  }));
  if (!output.json) {
    output.prose(`to allow it, ${printable(project.path, 4_096)} would ${grants.length > 0 ? "get" : "change"}:`);
    for (const grant of shown) for (const line of grantLines(grant, output)) output.line(line);
    for (const { source } of settled) output.prose(`  the entry of [ask] at ${printable(source)} would be taken away`);
    output.line("");
    for (const line of policyDifferenceLines(read.value, "present", output)) output.prose(line);
    for (const line of contradictionLines(failingTests)) output.prose(line);
  }
  const written = await isWanted(context, options, shown);
  if (written) await write(context, present, project, changed.project);
  tell(context, written, { grants: shown, settled, failingTests }, read.value, project);
  return EXIT.ok;
}

/** The policy's own tests that the changed configuration fails. No host takes a policy that fails one. */
async function testsThatFail(changed: LoadedConfiguration): Promise<readonly string[]> {
  const { results, shadow } = await testPolicy(changed);
  return [...results, ...(shadow?.results ?? [])].filter(({ fault }) => fault !== null).map(failureText);
}

/** LIMIT: tests that are shown; `femtoclaw policy test` shows all. */
const TESTS_SHOWN = 5;

function contradictionLines(failing: readonly string[]): string[] {
  if (failing.length === 0) return [];
  const rest = failing.length - TESTS_SHOWN;
  return [
    "",
    "the policy's own tests say otherwise, so change them as well, or no host takes the policy:",
    ...failing.slice(0, TESTS_SHOWN).map((text) => `  ${printable(text, 500)}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

type Shown = readonly { readonly line: string; readonly note: string | null; readonly dangerous: boolean }[];

/** Without a person's consent or `--yes`, nothing is written. A dangerous entry needs a word of its own. */
async function isWanted(
  { output }: CommandContext,
  { yes, unsafe }: PolicyAllowOptions,
  shown: Shown,
): Promise<boolean> {
  const isDangerous = shown.some(({ dangerous }) => dangerous);
  if (yes === true) {
    if (!isDangerous || unsafe === true) return true;
    throw new FemtoError(
      "FEMTO_USAGE",
      "the entry lets an agent choose what code runs, or reach what trusts this machine, so --yes alone does not write it",
      {
        fix: "Read the proposal, and add --unsafe if you want it.",
      },
    );
  }
  return !output.json && (await confirms("write it?", isDangerous ? "unsafe" : "yes"));
}

/**
 * The new text is trusted only if the old one was. Trust is given last, so that an interruption leaves the project
 * untrusted.
 */
async function write(
  context: CommandContext,
  { loaded }: PresentPolicy,
  before: ProjectFiles,
  after: ProjectFiles,
): Promise<void> {
  const store = new TrustStore(context.environment);
  const isTrusted = store.list().get(before.directory) === before.sha256;
  const isQuiet = !(await hostAnswers(context, loaded));
  await replaceConfiguration(before, after, { folder: loaded.resolved.stateDirectory, isQuiet });
  if (isTrusted) await store.trust(after.directory, after.sha256);
}

interface Told {
  readonly grants: Shown;
  readonly settled: readonly Entry[];
  readonly failingTests: readonly string[];
}

function tell(
  { output }: CommandContext,
  written: boolean,
  { grants, settled, failingTests }: Told,
  difference: PolicyDifference,
  { path }: ProjectFiles,
): void {
  if (output.json) {
    const no_longer_asked = settled.map(({ source }) => source);
    const value = { written, path, grants, no_longer_asked, failing_tests: failingTests };
    output.value({ ...value, difference: differenceValue(difference) });
  } else if (written) {
    const then =
      failingTests.length === 0
        ? "a running host uses it after `femtoclaw reload`"
        : "no host takes it before the tests above are changed as well: then run `femtoclaw trust` and `femtoclaw reload`";
    output.prose(`wrote ${printable(path, 4_096)}; ${then}`);
  } else {
    const words = grants.some(({ dangerous }) => dangerous) ? "--yes --unsafe" : "--yes";
    output.talk(`nothing was written; ${words} writes it`);
  }
}
