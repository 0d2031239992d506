/** The variables that children inherit from the host, and the names that a call may set. */
import type { HostEnvironment } from "@femtoclaw/protocol";
import type { Places } from "./places.ts";

interface ChildEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentNames: readonly string[];
}

export function childEnvironment(names: readonly string[], host: HostEnvironment, places: Places): ChildEnvironment {
  const environment: Record<string, string> = { LANG: "C.UTF-8" };
  for (const [index, name] of names.entries()) {
    // INVARIANT: children look programs up where they were decided on, never along the host's $PATH.
    if (name === "PATH")
      places.fault(["sandbox", "env", index], "the PATH of children is search_path; take it from here");
    const value = host[name];
    if (value !== undefined) environment[name] = value;
  }
  return { environment, environmentNames: [...new Set(names)] };
}
