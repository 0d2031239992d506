/**
 * What only an agent that was launched finds: files that are written into its own home and gone with it, and a hole
 * where a project has settings of agents, so that none of these name servers, hooks or tools.
 */
import { dirname, join } from "node:path";
import { FemtoError, printable } from "@femtoclaw/protocol";
import { HANDED_DESCRIPTOR, type SandboxCommand } from "./bubblewrap.ts";
import { hostInspection, type Inspection } from "./inspection.ts";
import { isWithin, type Mount, visibilityOf } from "./mounts.ts";
import type { SandboxView } from "./view.ts";

export interface AgentSettings {
  /** Of its home, which is a folder of the sandbox's own. */
  readonly files: readonly { readonly path: string; readonly content: string }[];
  /** `host:port` to which its relay opens a connection for each one at `TUNNEL_ADDRESS`; null where it has none. */
  readonly tunnel: string | null;
  /** Whether it is kept from what a project tells agents to start. */
  readonly hidesProject: boolean;
}

/** Of an agent that nobody configures. */
export const NO_SETTINGS: AgentSettings = { files: [], tunnel: null, hidesProject: false };

/** Files and folders by which a project tells agents what to start; what it tells them in words stays. */
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

/** The view with the holes and the files; agents look for settings in their folder and in all above it. */
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
  // Some agents are installed in a folder of this kind in a home; one that an operator shows for that is no project's.
  const isInstalled = (place: string): boolean =>
    !isWithin(place, authority.workspace) && [program, realPath].some((path) => isWithin(path, place));
  const found = new Map<string, Mount>();
  for (const folder of [cwd, ...foldersAbove(cwd)]) {
    for (const name of PROJECT_SETTINGS) {
      const path = `${folder === "/" ? "" : folder}/${name}`;
      if (!isShown(path)) continue;
      // Nothing can be mounted over a link, but over what it leads to.
      const place = placeOf(path, inspection);
      const kind = !isShown(place) || isInstalled(place) ? "missing" : stateOf(place).kind;
      if (kind === "file") found.set(place, { kind: "maskFile", path: place });
      if (kind === "directory") found.set(place, { kind: "maskFolder", path: place });
    }
  }
  // Within one that is hidden there is nothing left to hide.
  return [...found.values()].filter(
    ({ path }) => ![...found.keys()].some((other) => other !== path && isWithin(path, other)),
  );
}

/**
 * What stands at the path, or what a link there leads to. INVARIANT: that is the same inside the sandbox. So a link has to
 * lead there in one step: one through what the sandbox has of its own, such as `/proc/self/cwd`, would lead elsewhere.
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
    `${printable(path)} is a link that does not lead straight to a file`,
    {
      fix: "Remove it, or let it name the very file or folder: what an agent finds behind it could be another one.",
    },
  );
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}
