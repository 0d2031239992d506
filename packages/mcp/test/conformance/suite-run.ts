/** The scored scenarios of the official suite against one endpoint, each judged by the checks that the suite wrote down. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended } from "./ended.ts";
import type { Exemption, Revision } from "./exemptions.ts";
import type { Verdicts } from "./verdicts.ts";

interface SuiteRun {
  /** The suite's folder. */
  readonly suite: string;
  readonly url: string;
  readonly revision: Revision;
  readonly exemptions: Readonly<Record<string, Exemption>>;
  readonly verdicts: Verdicts;
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

export async function runSuite({ suite, url, revision, exemptions, verdicts }: SuiteRun): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), "mcp-suite-"));
  const program = join(suite, "conformance/dist/index.js");
  const listed = await ended([program, "list", "--requirements", revision]);
  const scored = scoredIn(listed.stdout);
  await ended([program, "server", "--url", url, "--requirements", revision, "-o", out]);
  if (scored.length === 0) verdicts.failed("the suite", `lists no scenarios: ${listed.stderr}`);
  for (const scenario of scored) {
    const failures = failuresOf(out, scenario);
    judge(scenario, failures, exemptions[scenario], verdicts);
  }
  const strangers = Object.keys(exemptions).filter((name) => !scored.includes(name));
  for (const name of strangers) verdicts.failed(name, "is said not to apply, and is no scenario");
  rmSync(out, { recursive: true });
}

function judge(
  scenario: string,
  failures: readonly Check[] | null,
  exemption: Exemption | undefined,
  verdicts: Verdicts,
): void {
  if (failures === null) return verdicts.failed(scenario, "the suite did not run it");
  const beyond = failures.filter(({ id }) => exemption?.checks?.includes(id) === false);
  const unexcused = exemption === undefined ? failures : beyond;
  const [first] = unexcused;
  if (first !== undefined) return verdicts.failed(scenario, `${first.id}: ${first.errorMessage ?? ""}`);
  if (exemption === undefined) return verdicts.passed(scenario);
  if (failures.length === 0) return verdicts.failed(scenario, "is said not to apply, and passes");
  const where = exemption.checks === undefined ? scenario : `${scenario} (${failures.map(({ id }) => id).join(", ")})`;
  verdicts.left(where, exemption.why);
}

/** Null for a scenario of which nothing was written down. */
function failuresOf(out: string, scenario: string): Check[] | null {
  const folder = readdirSync(out).find((name) => /^server-(.*)-\d{4}-\d\d-\d\dT/.exec(name)?.[1] === scenario);
  if (folder === undefined) return null;
  const checks = JSON.parse(readFileSync(join(out, folder, "checks.json"), "utf8")) as readonly Check[];
  return checks.filter(({ status }) => status === "FAILURE");
}

/** The scenarios for servers, before those that are run and never scored. */
function scoredIn(listed: string): string[] {
  const [scored = ""] = listed.split("Run and reported");
  const [, servers = ""] = scored.split("Server scenarios");
  const [own = ""] = servers.split("Client scenarios");
  return [...own.matchAll(/^ {2}- (\S+)/gm)].map(([, name = ""]) => name);
}
