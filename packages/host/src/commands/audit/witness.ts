/** `audit witness`: lists the witnesses of this log, and serves as a witness for the logs of others. */

import { resolve } from "node:path";
import { parseCheckpoint, parseVerifierKey, WitnessedFolder, witnessKey } from "@femtoclaw/journal";
import { EXIT, FemtoError, printable } from "@femtoclaw/protocol";
import type { ResolvedConfiguration, WitnessStatus } from "@femtoclaw/runtime";
import { hostStatus } from "../../process/host-status.ts";
import { logToStderr } from "../../terminal/log.ts";
import { table } from "../../terminal/table.ts";
import { witnessRow } from "../../terminal/witness-row.ts";
import { WitnessLedger } from "../../witness/witness-ledger.ts";
import { WitnessServer } from "../../witness/witness-server.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";

export async function listWitnesses(context: CommandContext): Promise<number> {
  const { output } = context;
  const witnesses = await currentWitnesses(context);
  if (output.json) {
    output.value(witnesses);
    return EXIT.ok;
  }
  if (witnesses.length === 0)
    output.talk("no witness is configured, so the holder of the log can roll it back unnoticed");
  for (const line of table(witnesses.map((witness) => witnessRow(witness)))) output.line(line);
  return EXIT.ok;
}

async function currentWitnesses(context: CommandContext): Promise<readonly WitnessStatus[]> {
  if (!(await hostAnswers(context))) return await rememberedWitnesses(context.load().resolved);
  await using operator = await context.operator();
  return (await hostStatus(operator)).witnesses;
}

/** Without a host: what each witness last accepted, as far as the state directory tells. */
async function rememberedWitnesses(resolved: ResolvedConfiguration): Promise<readonly WitnessStatus[]> {
  const { witnesses, witnessesRequired: required, stateDirectory } = resolved;
  const folder = new WitnessedFolder(stateDirectory);
  return await Promise.all(
    witnesses.map(async ({ name, kind }) => {
      const note = (await folder.read(name)) ?? "";
      const size = parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1))?.size ?? 0;
      return { name, kind, required, witnessed_size: size, error: null };
    }),
  );
}

export interface ServeOptions {
  readonly dir: string;
  readonly listen: string;
  readonly log: readonly string[];
}

/** Runs until a signal ends it. */
export async function serveWitness(context: CommandContext, options: ServeOptions): Promise<number> {
  const { output } = context;
  const logs = options.log.map((vkey) => {
    const verifier = parseVerifierKey(vkey);
    if (verifier !== null) return verifier;
    throw new FemtoError("FEMTO_USAGE", `\`${printable(vkey, 256)}\` is not the public key of a log`, {
      fix: "Name the key that `femtoclaw keys show` prints: name+id+key.",
    });
  });
  const ended = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => ended.resolve());
  await using ledger = await WitnessLedger.open(resolve(context.cwd, options.dir), logs);
  const log = logToStderr(context.options.quiet === true ? "error" : "info");
  await using server = await WitnessServer.listen(ledger, addressOf(options.listen), log);
  const ready = { event: "ready", pid: process.pid, url: server.url, vkey: witnessKey(ledger.signer) };
  if (output.json) output.value({ ...ready, logs: logs.map(({ name }) => name) });
  else
    for (const line of table([["witness", ready.url], ["key", ready.vkey], ...logs.map(({ name }) => ["log", name])]))
      output.line(line);
  await ended.promise;
  return EXIT.ok;
}

/**
 * INVARIANT: I9: a witness listens only on loopback, because one that anybody could reach would need more than a limit
 * on its rate.
 */
function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const [, v4, v6, digits] = /^(?:(127\.0\.0\.1)|\[(::1)\]):(\d{1,5})$/.exec(listen) ?? [];
  const host = v4 ?? v6;
  const port = Number(digits);
  if (host !== undefined && port <= 65_535) return { host, port };
  throw new FemtoError("FEMTO_USAGE", `\`${printable(listen, 64)}\` is not a loopback address of this machine`, {
    fix: "Use 127.0.0.1:PORT or [::1]:PORT. To serve other machines, put a proxy with access control in front.",
  });
}
