/**
 * `keys`: the keys that sign the journal, which never leave the state directory, and the keys of operators, which are
 * never stored there.
 */
import { EXIT, type LogKeys } from "@femtoclaw/protocol";
import { keysOf } from "../../log/log-access.ts";
import { readJournal } from "../../log/read-journal.ts";
import { writeOperatorKey } from "../../operators/key-file.ts";
import { table } from "../../terminal/table.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";
import { unreachedPlace } from "../unreached-place.ts";

export async function showKeys(context: CommandContext): Promise<number> {
  const { output } = context;
  const { origin, parent, vkey, keys } = await currentKeys(context);
  if (output.json) {
    output.value({ origin, parent, vkey, keys });
    return EXIT.ok;
  }
  const rows = keys.map(({ vkey: key, from_size, retired_at_size }) => [
    retired_at_size === null ? "in force" : "retired",
    key,
    retired_at_size === null ? `from size ${from_size}` : `sizes ${from_size} to ${retired_at_size}`,
  ]);
  const before =
    parent === null ? [] : [["parent", parent.vkey, `${parent.size} records, ${parent.reason}, root ${parent.root}`]];
  for (const line of table([["log", origin], ...before, ...rows])) output.line(line);
  return EXIT.ok;
}

export async function rotateKey(context: CommandContext): Promise<number> {
  await using operator = await context.operator();
  const vkey = await operator.rotateKey();
  if (context.output.json) context.output.value({ vkey });
  else context.output.line(`in force: ${vkey}`);
  return EXIT.ok;
}

/** The public half goes into the configuration. The private half stays with its operator. */
export async function makeOperatorKey(
  context: CommandContext,
  name: string,
  options: { readonly out: string; readonly passphrase: boolean },
): Promise<number> {
  const { output } = context;
  const file = unreachedPlace(context, options.out);
  const vkey = await writeOperatorKey(file, name, options.passphrase);
  if (output.json) {
    output.value({ name, vkey, file });
    return EXIT.ok;
  }
  output.line(vkey);
  output.talk(`wrote ${file}; keep it where no agent reads. The line above goes into femtoclaw.toml:`);
  output.talk("  [approvals]");
  output.talk(`  operators = ["${vkey}"]`);
  return EXIT.ok;
}

async function currentKeys(context: CommandContext): Promise<LogKeys> {
  if (await hostAnswers(context)) {
    await using operator = await context.operator();
    return await operator.keys();
  }
  await using journal = await readJournal(context.load().resolved.stateDirectory);
  return await keysOf(journal.reader);
}
