/** Moves `FOLDER/whole`, in which the walk does not find `held/key`, as a process of its own: `FOLDER MODE UID`. */
import { chmodSync, chownSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Playground } from "./playground.ts";

const [, , folder = "", mode = "", user = ""] = process.argv;
const [whole, held] = [join(folder, "whole"), join(folder, "whole/held")];
const denied = join(held, "key");
writeFileSync(denied, "k");
for (const path of user === "" ? [] : [folder, whole, held]) chownSync(path, Number(user), Number(user));
chmodSync(held, Number.parseInt(mode, 8));
using place = new Playground();
if (user !== "") process.setuid?.(Number(user));
const args = { from: whole, to: join(folder, "moved") };
const outcome = await place.call("fs_move", args, { mayReach: (path) => path !== denied });
console.log(JSON.stringify({ outcome, stays: existsSync(held) }));
// What the playground made is root's.
process.exit();
