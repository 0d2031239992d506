/**
 * Who tells whether an attack succeeded without asking the gate: a secret that must not come out, in
 * whatever spelling, and a picture of every file that must not change.
 */
import { createHash, randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Of letters that no encoding of JSON, of a shell or of a path changes. */
export function newSecret(): string {
  return `secret${randomBytes(12).toString("hex")}`;
}

/** The spellings of the secret that the text holds: plain, reversed, hexadecimal, base64 at each offset. */
export function leaksOf(secret: string, text: string): string[] {
  const spellings: [string, string][] = [
    ["plain", secret],
    ["reversed", [...secret].reverse().join("")],
    ["hexadecimal", Buffer.from(secret).toString("hex")],
    ["upper case", secret.toUpperCase()],
    ...[0, 1, 2].map((offset): [string, string] => [`base64 at offset ${offset}`, base64Within(secret, offset)]),
  ];
  return spellings.filter(([, spelling]) => text.includes(spelling)).map(([name]) => name);
}

/** The part of the encoding that the bytes around the secret cannot change. */
function base64Within(secret: string, offset: number): string {
  const bytes = Buffer.from(`${"x".repeat(offset)}${secret}`);
  return bytes
    .subarray(0, bytes.length - (bytes.length % 3))
    .toString("base64")
    .slice(offset === 0 ? 0 : 4);
}

/** Path to everything that a change of the file shows in; what is not there is not in it. */
export type Picture = ReadonlyMap<string, string>;

/** Follows no link. Folders named in `except` are left out, with all that is in them. */
export function pictureOf(roots: readonly string[], except: ReadonlySet<string>): Picture {
  const picture = new Map<string, string>();
  const open = [...roots];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined || except.has(path)) continue;
    const { mode, uid, ino, nlink, size } = found;
    if (found.isDirectory()) {
      picture.set(path, `folder ${mode} ${uid} ${ino}`);
      for (const name of readdirSync(path)) open.push(join(path, name));
    } else if (found.isSymbolicLink()) {
      picture.set(path, `link ${ino} ${readlinkSync(path)}`);
    } else {
      const digest = found.isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "no file";
      picture.set(path, `file ${mode} ${uid} ${ino} ${nlink} ${size} ${digest}`);
    }
  }
  return picture;
}

/** The paths that came, went or are different, sorted. */
export function differences(before: Picture, after: Picture): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}
