/**
 * `fork`: begins a new log that continues an existing one from one of its records. Nothing runs in the new state
 * directory until a host is started there.
 */
import { join, resolve } from "node:path";
import { EXIT, type Fork, printable } from "@femtoclaw/protocol";
import { forkLog, freePlace } from "@femtoclaw/runtime/epochs";
import type { LoadedConfiguration } from "../../configuration/load-configuration.ts";
import { refuseReachedPlace } from "../../configuration/reached-by-calls.ts";
import { readJournal } from "../../log/read-journal.ts";
import { unresolvedText } from "../../terminal/open-ends-text.ts";
import type { CommandContext } from "../command-context.ts";
import { hostAnswers } from "../host/host.ts";
import { meetBegun } from "../recovery/begun-log.ts";

export async function fork(context: CommandContext, seq: number, options: { readonly out: string }): Promise<number> {
  const { output } = context;
  const loaded = context.load();
  const out = await freePlace(resolve(context.cwd, options.out), "FEMTO_FORK_REFUSED");
  refuseReachedPlace(out, loaded.resolved.authority, "FEMTO_FORK_REFUSED");
  const made = await makeFork(context, loaded, seq, out);
  const { directory, origin, vkey, parent, unresolved } = made;
  // Whatever was seen at these paths before is no longer there.
  await context.logMemoryAt(join(directory, "epochs", "1")).forget();
  await rememberFork(context, directory);
  if (output.json) {
    output.value({ out: directory, origin, vkey, parent, unresolved });
    return EXIT.ok;
  }
  output.prose(`made ${printable(directory, 4_096)}: log ${origin} continues ${parent.origin} from record ${seq}`);
  if (unresolved > 0) output.prose(unresolvedText(unresolved));
  output.talk(`start it with: \`femtoclaw --state ${printable(directory, 4_096)} up --detach\``);
  return EXIT.ok;
}

async function rememberFork(context: CommandContext, directory: string): Promise<void> {
  await context.logMemoryAt(directory).forget();
  await meetBegun(context, directory);
}

async function makeFork(context: CommandContext, loaded: LoadedConfiguration, seq: number, out: string): Promise<Fork> {
  if (await hostAnswers(context, loaded)) {
    await using operator = await context.operator(loaded);
    return await operator.fork(seq, out);
  }
  const { stateDirectory } = loaded.resolved;
  await using journal = await readJournal(stateDirectory);
  return await forkLog({ reader: journal.reader, seq, out, stateDirectory, say: (line) => context.output.talk(line) });
}
