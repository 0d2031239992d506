/** `policy check`, `policy show` and `policy test`: the set that the project compiles to. None needs a host. */
import { createPolicyEngine, describePolicy, describeTrial } from "@femtoclaw/policy";
import { EXIT, printable } from "@femtoclaw/protocol";
import type { PolicyTestResult } from "../../policy/policy-test.ts";
import {
  compiledPolicyOf,
  compiledShadowOf,
  failureText,
  loadPolicy,
  type TestedSet,
  testPolicy,
} from "../../process/preflight.ts";
import type { CommandContext } from "../command-context.ts";

/** LIMIT: characters of one line, because the name of a test can contain all arguments of a call. */
const LINE_CHARS_MAX = 500;

/** Compiles, validates, tries out and tests the set, as the start of a host would. */
export async function checkPolicy(context: CommandContext): Promise<number> {
  const { output } = context;
  const { shadow, ...inForce } = await loadPolicy(context.load());
  const checked = await checkedSet(inForce);
  const onTrial = shadow === null ? null : await checkedSet(shadow);
  if (output.json) {
    output.value({ ...checked, valid: true, shadow: onTrial });
    return EXIT.ok;
  }
  output.prose(`the policy is valid: ${checkedText(checked)}`);
  if (onTrial !== null) output.prose(`the rules on trial are valid: ${checkedText(onTrial)}`);
  // Warnings that both sets have in common are printed once.
  const warnings = [...checked.warnings, ...(onTrial?.warnings ?? [])].map(
    ({ source, message }) => `${source}: ${message}`,
  );
  for (const warning of new Set(warnings)) output.prose(`warning: ${printable(warning, LINE_CHARS_MAX)}`);
  return EXIT.ok;
}

interface CheckedSet {
  readonly revision: string;
  readonly rules: number;
  readonly tests: number;
  readonly warnings: TestedSet["warnings"];
}

async function checkedSet({ compiled, results, warnings }: Omit<TestedSet, "rules">): Promise<CheckedSet> {
  const engine = await createPolicyEngine();
  engine.activate(compiled);
  return { revision: compiled.revision, rules: compiled.rules.length, tests: results.length, warnings };
}

const checkedText = ({ rules, tests, revision }: CheckedSet): string =>
  `${rules} rules, ${tests} tests, revision ${revision}`;

export async function showPolicy(context: CommandContext, { schema }: { readonly schema?: boolean }): Promise<number> {
  const { output } = context;
  const loaded = context.load();
  const compiled = await compiledPolicyOf(loaded);
  if (schema === true) {
    if (output.json) output.value({ schema: compiled.schemaText, sha256: compiled.schemaSha256 });
    else output.line(compiled.schemaText.trimEnd());
    return EXIT.ok;
  }
  const shadow = await compiledShadowOf(loaded);
  if (output.json) output.value({ ...compiled, shadow });
  else {
    output.line(describePolicy(compiled));
    if (shadow !== null) output.line(describeTrial(compiled, shadow));
  }
  return EXIT.ok;
}

/** Runs the policy's own tests. It decides on each call and executes none. */
export async function runTests(context: CommandContext): Promise<number> {
  const { output } = context;
  const { compiled, results: inForce, shadow } = await testPolicy(context.load());
  const results = [...inForce, ...(shadow?.results ?? [])];
  const failed = results.filter(({ fault }) => fault !== null);
  if (output.json) output.value({ revision: compiled.revision, failed: failed.length, tests: results.map(resultJson) });
  else {
    for (const result of failed) output.prose(printable(failureText(result), LINE_CHARS_MAX));
    output.prose(summary(results.length, failed.length));
  }
  return failed.length === 0 ? EXIT.ok : EXIT.no;
}

function summary(count: number, failed: number): string {
  if (count === 0) return "there are no tests; policy/*.test.toml holds them";
  return failed === 0 ? `all ${count} tests hold` : `${failed} of ${count} tests fail`;
}

function resultJson({ test, found, rules, fault }: PolicyTestResult) {
  const { name, source, tool, expected, rule } = test;
  return { name, source, tool, expected, rule, found, rules, fault };
}
