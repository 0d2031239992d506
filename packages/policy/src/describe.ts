/** The whole compiled set as text for people, itself valid Cedar: origins and reasons stand in comments. */
import { printable } from "@femtoclaw/protocol";
import type { CompiledPolicy } from "./compile.ts";
import type { CompiledRule } from "./table-rule.ts";

/** LIMIT: characters of one comment, so that no path floods the screen. */
const COMMENT_CHARS = 1_000;

export function describePolicy({ revision, engine, rules, actions }: CompiledPolicy): string {
  const head = [
    `// revision ${revision}`,
    `// ${engine}, ${actions.length} capabilities, ${rules.length} rules; what no rule permits is denied`,
  ];
  return `${[head.join("\n"), ...rules.map(describeRule)].join("\n\n")}\n`;
}

/** One rule with its origin and its reason. */
export function describeRule({ id, text, source, reason, fix }: CompiledRule): string {
  const comments = [
    `${id} (${source ?? "built in"})`,
    reason,
    ...(fix === undefined ? [] : [`to change this: ${fix}`]),
  ];
  // A source or a path may hold a line break, which would end the comment; `printable` makes it visible.
  return [...comments.map((comment) => `// ${printable(comment, COMMENT_CHARS)}`), text].join("\n");
}
