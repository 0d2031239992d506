/** What the commands about a deployment say of the one that systemd runs, and what becomes of it from its backup. */
import assert from "node:assert/strict";
import { type Asked, OF_MACHINE, quoted } from "./asked.ts";

const { femtoclaw, data } = OF_MACHINE;
const BACKUPS = `${data}/backups`;
const EFFECTS = "/srv/project/out/effects";
/** Other processors and other systems are not to be seen from one machine, and nobody builds the executable again there. */
const OF_ONE_MACHINE = ["3.1", "3.2", "19.2"];

interface Judged {
  readonly clauses: readonly { readonly id: string; readonly verdict: string; readonly evidence: string }[];
}

/** Only what lies in the installation says of itself that it is installed; beside it lie its manifest and signature. */
const INSTALLED = "/usr/local/lib/femtoclaw/current/femtoclaw";

/** By the user of the host, who has no more rights here than anybody. */
export async function conforms(asked: Asked): Promise<void> {
  const said = await asked.said(`cd / && ${femtoclaw} --json conformance --bin ${INSTALLED} --installed`);
  assert.match(said.stdout, /^\{/, said.stderr);
  const { clauses } = JSON.parse(said.stdout) as Judged;
  const open = clauses.filter(({ id, verdict }) => {
    return verdict !== "holds" && !(verdict === "not-checked" && OF_ONE_MACHINE.includes(id));
  });
  assert.deepEqual(open, []);
  assert(said.code === 0 || said.code === 3, said.stderr);
}

/** A question that was answered after the backup was made is neither open in what is restored nor answered there. */
export async function restored(asked: Asked): Promise<void> {
  const once = { bin: "tee", argv: ["-a", EFFECTS], stdin: "once\n" };
  const { approval, status } = await asked.call(OF_MACHINE, once);
  assert.equal(status, "pending");
  const id = approval?.id ?? "";
  await asked.ran(`install -d -o femtoclaw -g femtoclaw -m 700 ${BACKUPS}`);
  const { file, log } = await asked.json<{ file: string; log: { size: number; first_key: string } }>(
    OF_MACHINE,
    `backup --out ${BACKUPS}`,
  );
  await asked.ran(`${femtoclaw} approvals allow ${id}`);
  await asked.until(`grep -qx once ${EFFECTS}`);

  // The folder of the state is root's, who alone puts another one in its place.
  const made = `${BACKUPS}/restored`;
  const told = await asked.ran(`systemctl stop femtoclaw && ${femtoclaw} --state ${made} restore ${file} &&
    mv ${data}/state ${data}/lost && mv ${made} ${data}/state`);
  assert.match(told, /withdrawn, to be proposed again: 1 call that waited for an operator/);
  await asked.start(OF_MACHINE);
  // The user of the host has seen more of the log than the backup holds.
  const refused = await asked.failed(`${femtoclaw} approvals allow ${id}`);
  assert.match(refused.stderr, /FEMTO_LOG_ROLLED_BACK/);
  await asked.ran(`${femtoclaw} audit forget`);
  const spent = await asked.failed(`${femtoclaw} approvals allow ${id}`);
  assert.match(spent.stderr, /FEMTO_APPROVAL_NOT_FOUND/);
  assert.deepEqual(await asked.json(OF_MACHINE, "approvals list"), []);
  const { parent } = await asked.json<{ parent: { size: number; reason: string } }>(OF_MACHINE, "status");
  assert.deepEqual([parent.size, parent.reason], [log.size, "restore"]);
  await asked.ran(`${femtoclaw} audit verify && printf %s ${quoted(log.first_key)} >/run/log.vkey &&
    ${femtoclaw} audit verify ${data}/state/epochs/1 --key /run/log.vkey`);
  // An answer from before counts for nothing: the same call is asked about anew, and was done once.
  assert.equal((await asked.call(OF_MACHINE, once)).status, "pending");
  assert.equal(await asked.ran(`cat ${EFFECTS}`), "once\n");
}
