/** The whole compiled set as text for people. It is itself valid Cedar: origins and reasons stand in comments. */
import { printable } from "@femtoclaw/protocol";
import type { CompiledPolicy } from "./compile.ts";
import type { CompiledRule } from "./tables/table-rule.ts";

/** LIMIT: characters of one comment, so that no path floods the screen. */
const COMMENT_CHARS = 1_000;

/** All rules of a policy, each with its origin and its meaning. */
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
  // A source or a path may contain a line break, which would end the comment; `printable` makes it visible.
  return [...comments.map((comment) => `// ${printable(comment, COMMENT_CHARS)}`), text].join("\n");
}

/** The rules on trial, as far as they differ from those in force. None of them is in force. */
export function describeTrial(inForce: CompiledPolicy, { revision, rules }: CompiledPolicy): string {
  const texts = new Map(inForce.rules.map(({ id, text }) => [id, text]));
  const others = rules.filter(({ id, text }) => texts.get(id) !== text);
  const ids = new Set(rules.map(({ id }) => id));
  const gone = inForce.rules.filter(({ id }) => !ids.has(id));
  const head = [
    "// ON TRIAL: what follows is in force nowhere; it is only recorded what it would say",
    `// revision ${revision}`,
    `// ${rules.length} rules, of which ${rules.length - others.length} are those in force`,
    ...gone.map(({ id, source }) => `// without ${printable(`${id} (${source ?? "built in"})`, COMMENT_CHARS)}`),
  ];
  // The whole rule is commented out, so that somebody who takes this text for a policy gets the one in force.
  const asComment = (rule: CompiledRule): string => describeRule(rule).replace(/^(?!\/\/)/gm, "// ");
  return `${[head.join("\n"), ...others.map(asComment)].join("\n\n")}\n`;
}
