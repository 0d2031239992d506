/**
 * `policy learn`: drafts a policy that would have permitted what was refused. The draft is printed or written, and
 * never put in force.
 */
import { dirname, resolve } from "node:path";
import { EXIT, printable } from "@femtoclaw/protocol";
import { grantLine } from "../../configuration/grant-text.ts";
import { writeNew } from "../../new-file.ts";
import { withLog } from "../../policy/decision-source.ts";
import { type Drafted, draftPolicy, type PolicyDraft } from "../../policy/draft.ts";
import { draftText } from "../../policy/draft-text.ts";
import { PresentPolicy } from "../../policy/present-policy.ts";
import { fileText } from "../audit/audit.ts";
import type { CommandContext } from "../command-context.ts";
import { refusedLog } from "./policy-log.ts";

export interface PolicyLearnOptions {
  readonly since?: number;
  readonly out?: string;
  readonly journal?: string;
  readonly key?: string;
}

export async function policyLearn(context: CommandContext, options: PolicyLearnOptions): Promise<number> {
  const { output } = context;
  const loaded = context.load();
  const present = await PresentPolicy.of(loaded);
  const choice = {
    ...(options.journal === undefined ? {} : { journal: options.journal }),
    ...(options.key === undefined ? {} : { key: fileText(options.key) }),
  };
  const read = await withLog(context, choice, (log) => draftPolicy(log, present, options.since));
  if ("refused" in read) return refusedLog(context, read.refused);
  const place = { directory: dirname(loaded.path), searchPath: loaded.resolved.authority.searchPath };
  const text = draftText(read.value, place);
  const out = options.out === undefined ? null : resolve(context.cwd, options.out);
  if (out !== null) await writeNew(out, text);
  if (output.json) output.value({ ...draftValue(read.value, place), out, toml: text });
  else if (out === null) output.line(text.trimEnd());
  else output.prose(`wrote ${printable(out, 4_096)}; it has no effect yet`);
  return EXIT.ok;
}

function draftValue({ grants, dangerous, ...rest }: PolicyDraft, place: Parameters<typeof grantLine>[1]): object {
  const lines = (list: PolicyDraft["grants"]) =>
    list.map(({ about, ...drafted }: Drafted<PolicyDraft["grants"][number]["about"]>) => ({
      ...{ line: grantLine(about, place), note: about.note, ...drafted },
    }));
  return { ...rest, grants: lines(grants), dangerous: lines(dangerous) };
}
