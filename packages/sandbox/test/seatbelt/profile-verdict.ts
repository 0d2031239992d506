/** What a profile says of one operation on one path, by the rules of Seatbelt: the last rule that fits counts. */
import type { Profile } from "../../src/seatbelt/seatbelt-profile.ts";

const RULE = /^\((allow|deny) ([a-z*\- ]+?)((?: \((?:literal|subpath) (?:"[^"]*"|\(param "[A-Z0-9_]+"\))\))*)\)$/;
const FILTER = /\((literal|subpath) (?:"([^"]*)"|\(param "([A-Z0-9_]+)"\))\)/g;

export function isAllowed({ text, parameters }: Profile, operation: string, path: string): boolean {
  let allowed = false;
  for (const line of text.trimEnd().split("\n")) {
    const [, verdict, operations = "", filters = ""] = RULE.exec(line) ?? [];
    if (verdict === undefined || !operations.split(" ").some((name) => covers(name, operation))) continue;
    const places = [...filters.matchAll(FILTER)];
    const fits = places.some(([, kind, constant, name = ""]) => {
      const place = constant ?? parameters.get(name) ?? "";
      return path === place || (kind === "subpath" && path.startsWith(`${place === "/" ? "" : place}/`));
    });
    if (fits || places.length === 0) allowed = verdict === "allow";
  }
  return allowed;
}

/** `default` covers everything, and a name with a star what begins with it. */
function covers(name: string, operation: string): boolean {
  if (name === "default") return true;
  return name.endsWith("*") ? operation.startsWith(name.slice(0, -1)) : operation === name;
}
