/** `policy check`, `policy show` and `policy test`: the set that the project compiles to. None needs a host. */
import { createPolicyEngine, describePolicy } from "@femtoclaw/policy";
import { EXIT, printable } from "@femtoclaw/protocol";
import type { PolicyTestResult } from "../policy/policy-test.ts";
import { compiledPolicyOf, failureText, loadPolicy, testPolicy } from "../preflight.ts";
import type { CommandContext } from "./command-context.ts";

/** LIMIT: characters of one line; the name of a test can hold all arguments of a call. */
const LINE_CHARS_MAX = 500;

/** Compiles, validates, tries out and tests the set, as a start would. */
export async function checkPolicy(context: CommandContext): Promise<number> {
  const { output } = context;
  const { compiled, results, warnings } = await loadPolicy(context.load());
  const engine = await createPolicyEngine();
  engine.activate(compiled);
  const { revision, rules } = compiled;
  if (output.json) {
    output.value({ revision, rules: rules.length, tests: results.length, warnings, valid: true });
    return EXIT.ok;
  }
  output.line(`the policy is valid: ${rules.length} rules, ${results.length} tests, revision ${revision}`);
  for (const { source, message } of warnings)
    output.line(`warning: ${printable(`${source}: ${message}`, LINE_CHARS_MAX)}`);
  return EXIT.ok;
}

export async function showPolicy(context: CommandContext, { schema }: { readonly schema?: boolean }): Promise<number> {
  const { output } = context;
  const compiled = await compiledPolicyOf(context.load());
  if (schema === true) {
    if (output.json) output.value({ schema: compiled.schemaText, sha256: compiled.schemaSha256 });
    else output.line(compiled.schemaText.trimEnd());
  } else if (output.json) output.value(compiled);
  else output.line(describePolicy(compiled));
  return EXIT.ok;
}

/** Runs the policy's own tests: decides on each call, and executes none. */
export async function runTests(context: CommandContext): Promise<number> {
  const { output } = context;
  const { compiled, results } = await testPolicy(context.load());
  const failed = results.filter(({ fault }) => fault !== null);
  if (output.json) output.value({ revision: compiled.revision, failed: failed.length, tests: results.map(resultJson) });
  else {
    for (const result of failed) output.line(printable(failureText(result), LINE_CHARS_MAX));
    output.line(summary(results.length, failed.length));
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
