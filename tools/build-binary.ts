/**
 * Builds the standalone executable, its manifest, its bill of materials and the licences of what is in it:
 * `npm run build:binary -- [--target linux-x64] [--release-key FILE] [--out DIR]`.
 */
import { createPublicKey } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { releaseFiles } from "../packages/host/src/integrity/release-files.ts";
import { billOfMaterials, licences, partsOf } from "./binary/bill-of-materials.ts";
import { bundle } from "./binary/bundle.ts";
import { executable } from "./binary/executable.ts";
import { nodeProgram, ROOT } from "./binary/locked-file.ts";
import { releaseManifest } from "./binary/release-manifest.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", default: `${process.platform}-${process.arch}` },
    "release-key": { type: "string" },
    out: { type: "string" },
  },
});
const { target, "release-key": keyFile } = values;
const from = process.env["INIT_CWD"] ?? process.cwd();
const out = values.out === undefined ? join(ROOT, "dist") : resolve(from, values.out);
const parts = await bundle({ target, releaseKey: keyFile === undefined ? null : publicKey(resolve(from, keyFile)) });
const program = executable(nodeProgram(target), parts, target);
const { text, sha256 } = releaseManifest({ target, program, assets: parts.assets });

mkdirSync(out, { recursive: true });
const path = join(out, `femtoclaw-${target}`);
const { manifest, signature } = releaseFiles(path);
// A signature is over one manifest, and this is another one.
rmSync(signature, { force: true });
writeFileSync(path, program, { mode: 0o755 });
writeFileSync(manifest, text);
const materials = partsOf(parts.packages, target);
writeFileSync(`${path}.cdx.json`, billOfMaterials(materials, target, sha256));
writeFileSync(`${path}.licenses.txt`, licences(materials));
console.log(`${path}: ${(program.length / 1e6).toFixed(1)} MB, sha256 ${sha256}`);
console.log(`${manifest}: not signed; \`npm run sign -- --key FILE ${manifest}\` does that`);

/** In one form, whatever the file looks like, so that the same key gives the same executable. */
function publicKey(file: string): string {
  const key = createPublicKey(readFileSync(file));
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`${file} holds no Ed25519 key`);
  return String(key.export({ type: "spki", format: "pem" }));
}
