/** The steps by which the file tree of a child is built, and how the child sees a path in it. Pure. */
import { isWithin } from "@femtoclaw/protocol";

/** One step in building a child's file tree. A later step covers what earlier ones put at or below its path. */
export type Mount =
  | { readonly kind: "proc" | "dev" | "tmpfs" | "readOnly" | "readWrite"; readonly path: string }
  | { readonly kind: "maskFile" | "maskFolder"; readonly path: string }
  /** A file of this machine at another place, and a file made of what bubblewrap reads from a descriptor. */
  | { readonly kind: "placed"; readonly path: string; readonly from: string }
  | { readonly kind: "handed"; readonly path: string; readonly descriptor: number }
  /** A file of this machine, of which bubblewrap makes a copy at the same path; see `copied-files.ts`. */
  | { readonly kind: "copied"; readonly path: string; readonly descriptor: number }
  /** Like `handed`, but the child may change it. */
  | { readonly kind: "written"; readonly path: string; readonly descriptor: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

export type Visibility = "readOnly" | "readWrite" | "private" | "masked" | "hidden";

/** How a child sees a canonical path. */
export function visibilityOf(mounts: readonly Mount[], path: string): Visibility {
  return visibilityBy(mounts.findLast((mount) => isWithin(path, mount.path)));
}

/** How a child sees what this step shows or hides. */
export function visibilityBy(mount: Mount | undefined): Visibility {
  switch (mount?.kind) {
    case undefined:
      return "hidden";
    case "readOnly":
    case "readWrite":
      return mount.kind;
    case "placed":
    case "handed":
    case "copied":
      return "readOnly";
    case "maskFile":
    case "maskFolder":
      return "masked";
    case "proc":
    case "dev":
    case "tmpfs":
    case "link":
    case "written":
      return "private";
  }
}
