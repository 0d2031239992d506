/** The installation that the running program belongs to, and those of its changes that no record tells yet. */
import { dirname, join } from "node:path";
import { replaceFile } from "@femtoclaw/journal/live";
import type { DeploymentChangedBody } from "@femtoclaw/protocol";
import type { RuntimeOptions } from "@femtoclaw/runtime";
import { contentOf } from "../integrity/own-integrity.ts";
import { Library } from "./library.ts";
import { installationOf, readReceipt } from "./receipt.ts";

/** File in the state directory with the identifier of the last change that a record tells. */
const RECORDED = "installation.recorded";

export interface OwnInstallation {
  readonly options: Pick<RuntimeOptions, "installation" | "deploymentChanges">;
  /**
   * Called once the records are durable. If the host is killed before, the next one records the changes again, under
   * the same identifiers.
   */
  recorded(): Promise<void>;
}

const NOT_INSTALLED: OwnInstallation = { options: {}, recorded: async () => undefined };

/** Throws if the receipt beside the program could have been written by others, or is damaged. */
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
