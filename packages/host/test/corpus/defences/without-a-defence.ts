/**
 * Takes the defence away that is named in the environment, in a process that is no test itself: its change is made to
 * the source as it is loaded. The launcher of Landlock is a program of its own, so a changed copy of it is started.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DEFENCES } from "./defences.ts";

const ROOT = resolve(import.meta.dirname, "../../../../..");
const defence = DEFENCES.find(({ name }) => name === process.env["DEFENCE"]);
if (defence === undefined) throw new Error(`no defence is called ${process.env["DEFENCE"]}`);
const { from, to } = defence;
const source = join(ROOT, defence.file);
const isProgram = source.endsWith(".js");
const copy = join(tmpdir(), `launcher-${process.pid}.mjs`);
const changed = isProgram ? join(ROOT, "packages/sandbox/src/landlock/launcher-program.ts") : source;
if (isProgram)
  writeFileSync(
    copy,
    readFileSync(source, "utf8").replace(from, () => to),
  );

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (url !== pathToFileURL(changed).href || loaded.source === undefined) return loaded;
    const text = readFileSync(changed, "utf8");
    const other = isProgram
      ? text.replace('join(import.meta.dirname, "launcher.js")', () => JSON.stringify(copy))
      : text.replace(from, () => to);
    return { ...loaded, source: other };
  },
});
