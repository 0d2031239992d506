/**
 * Signs the manifest of an executable, or makes a key for that: `npm run sign -- --key FILE [MANIFEST …]`,
 * `npm run sign -- --new-key FILE`. The signature is the 64 bytes of Ed25519 over the manifest's bytes, nothing else.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./binary/locked-file.ts";

const MANIFEST = ".manifest.json";
const { values, positionals } = parseArgs({
  options: { key: { type: "string" }, "new-key": { type: "string" } },
  allowPositionals: true,
});
const from = process.env["INIT_CWD"] ?? process.cwd();

if (values["new-key"] !== undefined) makeKey(resolve(from, values["new-key"]));
else if (values.key !== undefined)
  signAll(
    resolve(from, values.key),
    positionals.map((name) => resolve(from, name)),
  );
else throw new Error("name a private key with --key, or make one with --new-key");

/**
 * Writes the private key, readable by its owner alone, and the public key beside it. No existing file is overwritten.
 */
function makeKey(file: string): void {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  writeFileSync(`${file}.pub`, publicKey.export({ type: "spki", format: "pem" }), { flag: "wx" });
  console.log(`${file}: keep it secret\n${file}.pub: give it to \`npm run build:binary -- --release-key\``);
}

function signAll(keyFile: string, named: readonly string[]): void {
  const key = createPrivateKey(readFileSync(keyFile));
  if (key.asymmetricKeyType !== "ed25519") throw new Error(`${keyFile} holds no Ed25519 key`);
  const manifests = named.length > 0 ? named : builtManifests();
  if (manifests.length === 0) throw new Error("there is no manifest in dist; run `npm run build:binary` first");
  const publicKey = String(createPublicKey(key).export({ type: "spki", format: "pem" }));
  for (const manifest of manifests) {
    if (!manifest.endsWith(MANIFEST)) throw new Error(`${manifest} is no manifest of an executable`);
    const signature = `${manifest.slice(0, -".json".length)}.sig`;
    writeFileSync(signature, sign(null, readFileSync(manifest), key));
    console.log(`${signature}: signed by the key\n${publicKey.trim()}`);
  }
}

function builtManifests(): string[] {
  const dist = join(ROOT, "dist");
  return readdirSync(dist)
    .filter((name) => name.endsWith(MANIFEST))
    .map((name) => join(dist, name));
}
