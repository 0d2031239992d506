/**
 * Builds the standalone executable, its manifest, its bill of materials and the licences of its parts: `npm run
 * build:binary -- [--target linux-x64] [--release-key FILE] [--out DIR]`. Any target can be built on any system, but
 * only macOS itself can sign an executable for macOS.
 */
import { execFileSync } from "node:child_process";
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
import { HERE, targetOf } from "./binary/targets.ts";

const { values } = parseArgs({
  options: {
    target: { type: "string", default: HERE },
    "release-key": { type: "string" },
    out: { type: "string" },
  },
});
const { target, "release-key": keyFile } = values;
const from = process.env["INIT_CWD"] ?? process.cwd();
const out = values.out === undefined ? join(ROOT, "dist") : resolve(from, values.out);
const parts = await bundle({ target, releaseKey: keyFile === undefined ? null : publicKey(resolve(from, keyFile)) });
mkdirSync(out, { recursive: true });
const path = join(out, `femtoclaw-${target}${targetOf(target).suffix}`);
writeFileSync(path, executable(nodeProgram(target), parts, target), { mode: 0o755 });
const isForMac = target.startsWith("darwin-");
if (isForMac && process.platform === "darwin") signForMac(path);
// Of the final file, which includes the signature of macOS.
const program = readFileSync(path);
const { text, sha256 } = releaseManifest({ target, program, assets: parts.assets });
const { manifest, signature } = releaseFiles(path);
// An old signature belongs to another manifest.
rmSync(signature, { force: true });
writeFileSync(manifest, text);
const materials = partsOf(parts.packages, target);
writeFileSync(`${path}.cdx.json`, billOfMaterials(materials, target, sha256));
writeFileSync(`${path}.licenses.txt`, licences(materials));
console.log(`${path}: ${(program.length / 1e6).toFixed(1)} MB, sha256 ${sha256}`);
console.log(`${manifest}: not signed; \`npm run sign -- --key FILE ${manifest}\` does that`);

if (isForMac && process.platform !== "darwin") {
  console.log(
    `${path}: macOS runs no program without a signature of its own kind, which only a Mac makes: build it there to run it`,
  );
}

/** Signs ad hoc: the signature names nobody and only shows that the file is intact. */
function signForMac(file: string): void {
  const args = ["--force", "--sign", "-", "--identifier", "femtoclaw", file];
  execFileSync("/usr/bin/codesign", args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** In one normal form, so that the same key always gives the same executable. */
function publicKey(file: string): string {
  const key = createPublicKey(readFileSync(file));
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`${file} holds no Ed25519 key`);
  return String(key.export({ type: "spki", format: "pem" }));
}
