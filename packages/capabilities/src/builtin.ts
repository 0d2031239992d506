/** The capabilities that come with FemtoClaw, in the order in which they are listed. */
import type { Capability } from "./capability.ts";
import { fsList } from "./files/fs-list.ts";
import { fsRead } from "./files/fs-read.ts";
import { fsWrite } from "./files/fs-write.ts";
import { netFetch } from "./network/net-fetch.ts";
import { processExec } from "./process/process-exec.ts";

export const builtinCapabilities: readonly Capability[] = [fsList, fsRead, fsWrite, netFetch, processExec];
