/** `report`: what somebody needs who helps from afar, without a secret and without an argument of a call. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT, errorText, FemtoError, printable, systemErrorCode } from "@femtoclaw/protocol";
import { makeReport } from "../report/report.ts";
import type { CommandContext } from "./command-context.ts";

export async function report(context: CommandContext, options: { readonly out?: string }): Promise<number> {
  const text = await makeReport(context);
  if (options.out === undefined) {
    process.stdout.write(text);
    return EXIT.ok;
  }
  const file = resolve(context.cwd, options.out);
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    const reason = `${printable(file, 4_096)} cannot be written: ${systemErrorCode(error) ?? errorText(error)}`;
    throw new FemtoError("FEMTO_EXPORT_FAILED", reason, { cause: error });
  }
  if (context.output.json) context.output.value({ file });
  else context.output.line(`wrote ${printable(file, 4_096)}; read it before you hand it on`);
  return EXIT.ok;
}
