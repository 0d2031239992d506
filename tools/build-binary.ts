/**
 * Builds the standalone executable, its manifest, its bill of materials and the licences of its parts. Any target can be
 * built on any system, but only macOS itself can sign an executable for macOS.
 */
import { execFileSync } from "node:child_process";
import { createPublicKey, type KeyObject } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { releaseFiles } from "../packages/host/src/integrity/release-files.ts";
import { billOfMaterials, licences, partsOf } from "./binary/bill-of-materials.ts";
import { bundle } from "./binary/bundle.ts";
import { executable } from "./binary/executable.ts";
import { nodeProgram, ROOT } from "./binary/locked-file.ts";
import { releaseManifest } from "./binary/release-manifest.ts";
import { HERE, targetNames, targetOf } from "./binary/targets.ts";
import { writeExecutable } from "./binary/write-executable.ts";
import { toolWords } from "./tool-words.ts";

const { values, refuse } = toolWords({
  name: "build:binary",
  purpose: "Builds the standalone executable, with its manifest, its bill of materials and its licences beside it.",
  options: {
    target: ["system", `what it is to run on, instead of ${HERE}: ${targetNames().join(", ")}`],
    "release-key": ["file", "public key, by which alone it will take itself for released; `npm run sign` makes one"],
    out: ["dir", "folder that it is written to, instead of dist"],
  },
});
const { target = HERE, "release-key": keyFile } = values;
if (!targetNames().includes(target))
  refuse(`no executable is built for ${target}, but for ${targetNames().join(", ")}`);
const from = process.env["INIT_CWD"] ?? process.cwd();
const out = values.out === undefined ? join(ROOT, "dist") : resolve(from, values.out);
const parts = await bundle({ target, releaseKey: keyFile === undefined ? null : publicKey(resolve(from, keyFile)) });
mkdirSync(out, { recursive: true });
const path = join(out, `femtoclaw-${target}${targetOf(target).suffix}`);
writeExecutable(path, executable(nodeProgram(target), parts, target));
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
  const key = keyIn(file);
  if (key?.asymmetricKeyType !== "ed25519") return refuse(`${file} holds no Ed25519 key`);
  return String(key.export({ type: "spki", format: "pem" }));
}

function keyIn(file: string): KeyObject | null {
  try {
    return createPublicKey(readFileSync(file));
  } catch {
    return null;
  }
}
