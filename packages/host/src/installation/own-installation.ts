/** The installation that the program that runs belongs to, and what of it no record tells yet. */
import { dirname, join } from "node:path";
import { replaceFile } from "@femtoclaw/journal/live";
import type { DeploymentChangedBody } from "@femtoclaw/protocol";
import type { RuntimeOptions } from "@femtoclaw/runtime";
import { contentOf } from "../integrity/own-integrity.ts";
import { Library } from "./library.ts";
import { installationOf, readReceipt } from "./receipt.ts";

/** In the state directory: identifier of the last change that a record tells. */
const RECORDED = "installation.recorded";

export interface OwnInstallation {
  readonly options: Pick<RuntimeOptions, "installation" | "deploymentChanges">;
  /** Once the records are durable. A host that is killed before records a change again, under the same identifier. */
  recorded(): Promise<void>;
}

const NOT_INSTALLED: OwnInstallation = { options: {}, recorded: async () => undefined };

/** Throws where a receipt lies beside the program that others could have written, or that says nothing. */
export function ownInstallation(stateDirectory: string, program = process.execPath): OwnInstallation {
  const read = Library.of(program) === null ? null : readReceipt(dirname(program));
  if (read === null) return NOT_INSTALLED;
  const deploymentChanges = unrecorded(read.receipt.changes, stateDirectory);
  const last = deploymentChanges.at(-1)?.id;
  return {
    options: { installation: installationOf(read), deploymentChanges },
    async recorded() {
      if (last !== undefined) await replaceFile(stateDirectory, RECORDED, last);
    },
  };
}

function unrecorded(changes: readonly DeploymentChangedBody[], stateDirectory: string): DeploymentChangedBody[] {
  const last = contentOf(join(stateDirectory, RECORDED));
  const id = last === null ? null : Buffer.from(last).toString();
  return changes.slice(changes.findIndex((change) => change.id === id) + 1);
}
