/** `report`: what somebody needs who helps from afar, without any secret and without the arguments of calls. */
import { resolve } from "node:path";
import { EXIT, printable } from "@femtoclaw/protocol";
import { writeNew } from "../../new-file.ts";
import { makeReport } from "../../report/report.ts";
import type { CommandContext } from "../command-context.ts";

export async function report(context: CommandContext, options: { readonly out?: string }): Promise<number> {
  const text = await makeReport(context);
  if (options.out === undefined) {
    process.stdout.write(text);
    return EXIT.ok;
  }
  const file = resolve(context.cwd, options.out);
  await writeNew(file, text);
  if (context.output.json) context.output.value({ file });
  else context.output.prose(`wrote ${printable(file, 4_096)}; read it before you hand it on`);
  return EXIT.ok;
}
