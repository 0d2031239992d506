/**
 * Puts another executable in force: lets it examine the deployment, drains the host, switches the link, starts the
 * host, and takes the change back if the host does not come up. Only hosts touch the journal, and it is never taken
 * back.
 */
import { randomUUID } from "node:crypto";
import { type DeploymentChangedBody, errorText, FemtoError, printable } from "@femtoclaw/protocol";
import { CONFIGURATION_NAME, POLICY_FOLDER, readProjectFiles } from "../configuration/project-files.ts";
import type { HostControl } from "./host-control.ts";
import type { HostStanding, InForce, Library, Source } from "./library.ts";
import type { Receipt } from "./receipt.ts";

export interface ChangeParts {
  readonly library: Library;
  /** Works by the receipt in force. No change moves the places that it names. */
  readonly host: HostControl;
  talk(text: string): void;
}

/** What is to be put in force. */
export interface NextDeployment {
  readonly source: Source;
  readonly version: string;
  readonly binary: string;
  readonly machines: Receipt["machines"];
  readonly change: "upgraded" | "rolled_back";
}

export async function changeDeployment(parts: ChangeParts, from: InForce, next: NextDeployment): Promise<string> {
  const { library, host, talk } = parts;
  const name = library.nextName(next.version);
  const standing = await host.standing();
  library.begin({ doing: "change", from: from.name, to: name, host: standing });
  try {
    library.stage(name, next.source, receiptOf(from, next));
    talk(`looking at the deployment with ${next.version}`);
    await host.examine(library.program(name));
    keepConfiguration(library, from);
    if (standing !== "stopped") talk("draining the host");
    await host.stop(standing);
  } catch (error) {
    await leaveAsItWas(parts, name, standing);
    throw error;
  }
  try {
    library.putInForce(name);
  } catch (error) {
    if (library.inForce()?.name !== name) {
      await leaveAsItWas(parts, name, standing);
      throw error;
    }
    // The link was switched, although a loss of power may still take that back. Either executable is whole, and the host
    // has to run in any case.
    talk(`that it is in force may not be durable: ${printable(errorText(error), 2_000)}`);
  }
  await startOrTakeBack(parts, from, standing);
  library.finish();
  return name;
}

/**
 * Undoes a change whose link was not switched yet. If the host has already stopped for it, the host is started again.
 */
async function leaveAsItWas({ library, host, talk }: ChangeParts, name: string, standing: HostStanding): Promise<void> {
  try {
    library.discard(name);
    if (standing !== "stopped" && (await host.standing()) === "stopped") await host.start(standing);
    library.finish();
  } catch (error) {
    talk(`the next command will have to undo this change: ${printable(errorText(error), 2_000)}`);
  }
}

async function startOrTakeBack(parts: ChangeParts, from: InForce, standing: HostStanding): Promise<void> {
  if (standing !== "stopped") parts.talk("starting the host");
  try {
    await parts.host.start(standing);
  } catch (error) {
    await takeBack(parts, from, standing, errorText(error));
  }
}

/** Puts the previous deployment in force again, under a new name, because its new receipt says what was tried. */
async function takeBack({ library, host, talk }: ChangeParts, from: InForce, standing: HostStanding, reason: string) {
  const failed = library.inForce();
  const { version, binary, machines, previous } = from.receipt;
  const name = library.nextName(version);
  talk(`taking it back: ${printable(reason, 2_000)}`);
  // A host that came up but is not as it has to be must end before the other one starts.
  await host.stop(await host.standing().catch(() => "stopped" as const)).catch(() => undefined);
  const receipt = receiptOf(failed ?? from, {
    source: { deployment: from.name },
    version,
    binary,
    machines,
    change: "rolled_back",
    reason: printable(reason, 2_000),
  });
  library.stage(name, { deployment: from.name }, { ...receipt, previous });
  library.putInForce(name);
  const said = `${failed?.receipt.version ?? "it"} did not come up, and ${version} is in force again: ${reason}`;
  try {
    await host.start(standing);
  } catch (error) {
    throw new FemtoError("FEMTO_UPGRADE_FAILED", `${said}; its host does not start either: ${errorText(error)}`);
  }
  library.finish();
  throw new FemtoError("FEMTO_UPGRADE_FAILED", said);
}

/**
 * Ends a change that a crash cut off. If the link was not switched yet, everything stays as it was; otherwise the
 * change is completed.
 */
export async function settle(parts: ChangeParts): Promise<void> {
  const { library, host, talk } = parts;
  const pending = library.pending();
  if (pending?.doing !== "change") return;
  const current = library.inForce();
  const before = library.receiptOf(pending.from);
  if (current?.name === pending.to && before !== null) {
    talk(`an earlier change to ${current.receipt.version} was cut off; completing it`);
    const from = { name: pending.from, receipt: before, sha256: "" };
    if ((await host.standing()) === "stopped") await startOrTakeBack(parts, from, pending.host);
  } else {
    if (current?.name === pending.from) talk("an earlier change was cut off before it took effect; undoing it");
    if ((await host.standing()) === "stopped") await host.start(pending.host);
  }
  library.finish();
}

function receiptOf(from: InForce, next: NextDeployment & { readonly reason?: string }): Receipt {
  const { version, binary, machines } = next;
  const at = new Date().toISOString();
  const change: DeploymentChangedBody = {
    id: randomUUID(),
    change: next.change,
    at,
    from: { version: from.receipt.version, binary: from.receipt.binary },
    to: { version, binary },
    ...(next.reason === undefined ? {} : { reason: next.reason }),
  };
  return {
    ...from.receipt,
    version,
    binary,
    machines,
    previous: from.name,
    installed_at: at,
    changes: [...from.receipt.changes, change],
  };
}

/**
 * Keeps the configuration that the deployment had while it was in force. The change itself leaves the configuration
 * alone.
 */
function keepConfiguration(library: Library, { name, receipt }: InForce): void {
  const { configuration, policy } = readProjectFiles(receipt.configuration);
  const policies = [...policy].map(([file, content]) => [`${POLICY_FOLDER}/${file}`, content] as const);
  library.keepConfiguration(name, new Map([[CONFIGURATION_NAME, configuration], ...policies]));
}
