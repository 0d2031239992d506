/**
 * The settings that a launched agent finds: files written into its home, which vanish with it, and nothing where the
 * project has settings for agents, so that a project cannot name servers, hooks or tools for it to start.
 */
import { dirname, join } from "node:path";
import { FemtoError, isWithin, printable } from "@femtoclaw/protocol";
import { HANDED_DESCRIPTOR, type SandboxCommand } from "../bubblewrap.ts";
import { hostInspection, type Inspection } from "./inspection.ts";
import { type Mount, visibilityOf } from "./mounts.ts";
import type { SandboxView } from "./view.ts";

export interface AgentSettings {
  /** Files in the agent's home, which is a folder of the sandbox's own. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** `host:port` to which the relay forwards each connection made to `TUNNEL_ADDRESS`; null if there is no tunnel. */
  readonly tunnel: string | null;
  /** Whether the project's settings for agents are hidden, since they can make an agent start programs. */
  readonly hidesProject: boolean;
}

/** For an agent that has no settings of its own. */
export const NO_SETTINGS: AgentSettings = { files: [], tunnel: null, hidesProject: false };

/** Files and folders by which a project makes agents start something. Instructions in prose stay visible. */
const PROJECT_SETTINGS: readonly string[] = [
  ".claude",
  ".codex",
  ".cursor",
  ".gemini",
  ".mcp.json",
  ".opencode",
  ".pi",
  "opencode.json",
  "opencode.jsonc",
];

/**
 * The view with project settings hidden and files written. Agents look for settings in their folder and in all above
 * it.
 */
export function withAgentSettings(
  view: SandboxView,
  command: Pick<SandboxCommand, "cwd" | "program" | "realPath">,
  { files, hidesProject }: AgentSettings,
  inspection: Inspection = hostInspection,
): SandboxView {
  const written = files.map(
    ({ path }, index): Mount => ({ kind: "written", path, descriptor: HANDED_DESCRIPTOR + index }),
  );
  const hidden = hidesProject ? holes(view, command, inspection) : [];
  return { ...view, mounts: [...view.mounts, ...hidden, ...written] };
}

function holes(
  { mounts, authority }: SandboxView,
  { cwd, program, realPath }: Pick<SandboxCommand, "cwd" | "program" | "realPath">,
  inspection: Inspection,
): Mount[] {
  const { stateOf } = inspection;
  const isShown = (path: string): boolean => ["readOnly", "readWrite"].includes(visibilityOf(mounts, path));
  // Some agents are installed in such a folder of the user's home. If an operator shows it for that, it is not the
  // project's.
  const isInstalled = (place: string): boolean =>
    !isWithin(place, authority.workspace) && [program, realPath].some((path) => isWithin(path, place));
  const found = new Map<string, Mount>();
  for (const folder of [cwd, ...foldersAbove(cwd)]) {
    for (const name of PROJECT_SETTINGS) {
      const path = `${folder === "/" ? "" : folder}/${name}`;
      if (!isShown(path)) continue;
      // A mount over a link would follow it, so the target is hidden instead.
      const place = placeOf(path, inspection);
      const kind = !isShown(place) || isInstalled(place) ? "missing" : stateOf(place).kind;
      if (kind === "file") found.set(place, { kind: "maskFile", path: place });
      if (kind === "directory") found.set(place, { kind: "maskFolder", path: place });
    }
  }
  // What lies within a hidden folder needs no hole of its own.
  return [...found.values()].filter(
    ({ path }) => ![...found.keys()].some((other) => other !== path && isWithin(path, other)),
  );
}

/**
 * The path itself, or the target of a link there. INVARIANT: the path leads to the same place inside the sandbox. So a
 * link must lead to its target in one step: a link by way of something that differs inside, such as `/proc/self/cwd`,
 * would lead elsewhere.
 */
function placeOf(path: string, { stateOf, linkText }: Inspection): string {
  const text = linkText(path);
  if (text === null) return path;
  const state = stateOf(path);
  const led = text.startsWith("/") ? text : join(dirname(path), text);
  const turnsBack = text
    .replace(/^(?:\.\.\/)+/, "")
    .split("/")
    .includes("..");
  if (state.kind === "link" && state.target === led && !turnsBack) return led;
  throw new FemtoError(
    "FEMTO_SANDBOX_UNAVAILABLE",
    `${printable(path)} is a symbolic link that does not point directly to a file or folder`,
    {
      fix: "Remove the link, or let it point directly to the file or folder. Through another link, an agent could reach something else.",
    },
  );
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}
