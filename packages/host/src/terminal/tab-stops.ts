/**
 * Replaces tabs by spaces up to the next column of eight, as a terminal would. Behind an indent, a tab would lead to
 * another column. The line may be as long as any output, so it is split and not searched by a pattern, which would begin
 * again at each character of a line without a tab.
 */
export function withoutTabs(line: string): string {
  const parts = line.split("\t");
  const last = parts.pop() ?? "";
  return parts.map((part) => part + " ".repeat(8 - ([...part].length % 8))).join("") + last;
}
