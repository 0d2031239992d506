/**
 * Opens an address in the user's browser without telling it to other users. The arguments of a process are public, so
 * the browser gets the name of a private file that redirects to the address.
 */
import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@femtoclaw/journal/live";
import { FemtoError } from "@femtoclaw/protocol";
import { DEFAULT_SEARCH_PATH, findProgram } from "@femtoclaw/runtime/configuration";

/** Programs that open a file in the browser, in order of preference. */
const OPENERS = ["xdg-open", "open"];

/** Disposing of the result deletes the file. */
export async function openInBrowser(url: string, environment: NodeJS.ProcessEnv): Promise<AsyncDisposable> {
  const found = OPENERS.map((name) => findProgram(name, DEFAULT_SEARCH_PATH)).find((file) => !("problem" in file));
  if (found === undefined || "problem" in found) {
    const fix = "Leave `--open` out and open the address yourself.";
    throw new FemtoError("FEMTO_USAGE", "no program to open a browser was found", { fix });
  }
  const folder = await temporaryFolder("femtoclaw-inspect-");
  const file = join(folder, "inspect.html");
  const page = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${url}"><a href="${url}">inspect</a>\n`;
  await writeFile(file, page, { mode: 0o600 });
  const browser = spawn(found.path, [file], { env: environment, stdio: "ignore", detached: true });
  browser.once("error", () => undefined);
  browser.unref();
  return { [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
