/**
 * What a child sees that is not a program of this machine but one that FemtoClaw hands it: the system, itself, and
 * nothing that was granted to anybody.
 */
import type { Authority } from "@femtoclaw/protocol";
import { HANDED_DESCRIPTOR } from "./bubblewrap.ts";
import { hostInspection } from "./inspection.ts";
import type { Mount } from "./mounts.ts";
import { type SandboxView, viewOf } from "./view.ts";

/** A file of the child: the bytes of `content`, or a file of this machine that no child can write to. */
export type OwnFile = { readonly path: string } & ({ readonly content: Uint8Array } | { readonly from: string });

export interface OwnProgram {
  readonly view: SandboxView;
  /** For the run; they belong to the view. */
  readonly handed: readonly Uint8Array[];
  /** A folder that is shown and in which nothing of the call lies. */
  readonly cwd: string;
}

/** Shown to every child, so that it takes no grant to begin there. */
const CWD = "/usr";

/**
 * INVARIANT: what is shown is the system, less what is denied, and these files. Neither workspace nor grants nor
 * variables of the host are there: what a call is decided on is handed to it, and there is nothing else to reach.
 */
export function ownProgramView(standard: SandboxView, files: readonly OwnFile[]): OwnProgram {
  const { authority, groups, rung } = standard;
  const bare: Authority = {
    ...authority,
    workspace: CWD,
    allow: { ...authority.allow, read: [], write: [] },
    ask: { ...authority.ask, write: [] },
    childRead: [],
    environment: {},
    environmentNames: [],
  };
  const view = viewOf(bare, hostInspection, undefined, groups, rung.name);
  const handed: Uint8Array[] = [];
  const own = files.map((file): Mount => {
    if ("from" in file) return { kind: "placed", path: file.path, from: file.from };
    handed.push(file.content);
    return { kind: "handed", path: file.path, descriptor: HANDED_DESCRIPTOR + handed.length - 1 };
  });
  // The plan rests on nothing that a child can change, so it is not made anew while this one starts.
  return { view: { ...view, mounts: [...view.mounts, ...own], assumed: new Map() }, handed, cwd: CWD };
}
