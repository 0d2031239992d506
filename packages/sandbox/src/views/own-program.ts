/**
 * The view for a program that FemtoClaw itself hands to the child: the system and the program's own files, and nothing
 * that was granted to anybody.
 */
import type { Authority } from "@femtoclaw/protocol";
import { HANDED_DESCRIPTOR } from "../bubblewrap.ts";
import { hostInspection } from "./inspection.ts";
import type { Mount } from "./mounts.ts";
import { type SandboxView, viewOf } from "./view.ts";

/** A file shown to the child: the bytes of `content`, or a file of this machine that no child can write to. */
export type OwnFile = { readonly path: string } & ({ readonly content: Uint8Array } | { readonly from: string });

export interface OwnProgram {
  readonly view: SandboxView;
  /** The contents to hand over when it runs; the mounts of the view refer to them. */
  readonly handed: readonly Uint8Array[];
  /** A visible folder that contains nothing of the call. */
  readonly cwd: string;
}

/** Every child sees this folder, so starting there takes no grant. */
const CWD = "/usr";

/**
 * INVARIANT: the child sees the system without what is denied, and these files. It gets no workspace, grants or
 * variables of the host: it is handed what the call was decided on, and can reach nothing else.
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
  // A child can change nothing on which this plan rests, so the plan is not checked again when this one starts.
  return { view: { ...view, mounts: [...view.mounts, ...own], assumed: new Map() }, handed, cwd: CWD };
}
