/** One grant, two fences: what Cedar files forbid to file tools is taken from programs as well. */
import type { Authority } from "@femtoclaw/protocol";
import type { FileRule } from "./file-rule.ts";

/** The authority from which a child's view is made. It grants no more than the original authority. */
export function confinedAuthority(authority: Authority, fileRules: readonly FileRule[]): Authority {
  const { deny } = authority;
  const grants = (paths: (rule: FileRule) => readonly string[]) =>
    fileRules.flatMap((rule) => paths(rule).map((path) => ({ path, source: rule.source })));
  return {
    ...authority,
    deny: {
      ...deny,
      read: [...deny.read, ...grants(({ hidden }) => hidden)],
      write: [...deny.write, ...grants(({ kept }) => kept)],
    },
  };
}
