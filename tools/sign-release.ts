/**
 * Signs the manifest of an executable, or makes a key for that. The signature is the 64 bytes of Ed25519 over the manifest's
 * bytes, nothing else.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ROOT } from "./binary/locked-file.ts";
import { toolWords } from "./tool-words.ts";

const MANIFEST = ".manifest.json";
const { values, operands, refuse } = toolWords({
  name: "sign",
  purpose: "Signs manifests of executables, all in dist if none is named, or makes the key for that.",
  options: {
    key: ["file", "private key to sign with"],
    "new-key": ["file", "make a private key there, and its public one in FILE.pub; neither may be there yet"],
  },
  operands: "[manifest...]",
});
const from = process.env["INIT_CWD"] ?? process.cwd();

if (values["new-key"] !== undefined) makeKey(resolve(from, values["new-key"]));
else if (values.key !== undefined)
  signAll(
    resolve(from, values.key),
    operands.map((name) => resolve(from, name)),
  );
else refuse("name a private key with --key, or make one with --new-key");

/**
 * Writes the private key, readable by its owner alone, and the public key beside it. No existing file is overwritten.
 */
function makeKey(file: string): void {
  for (const path of [file, `${file}.pub`]) if (existsSync(path)) refuse(`${path} is there already`);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  writeFileSync(`${file}.pub`, publicKey.export({ type: "spki", format: "pem" }), { flag: "wx" });
  console.log(`${file}: keep it secret\n${file}.pub: give it to \`npm run build:binary -- --release-key\``);
}

function signAll(keyFile: string, named: readonly string[]): void {
  const key = keyIn(keyFile);
  if (key?.asymmetricKeyType !== "ed25519") return refuse(`${keyFile} holds no private Ed25519 key`);
  const manifests = named.length > 0 ? named : builtManifests();
  if (manifests.length === 0) refuse("there is no manifest in dist; run `npm run build:binary` first");
  const publicKey = String(createPublicKey(key).export({ type: "spki", format: "pem" }));
  for (const manifest of manifests) {
    if (!manifest.endsWith(MANIFEST) || !existsSync(manifest)) refuse(`${manifest} is no manifest of an executable`);
    const signature = `${manifest.slice(0, -".json".length)}.sig`;
    writeFileSync(signature, sign(null, readFileSync(manifest), key));
    console.log(`${signature}: signed by the key\n${publicKey.trim()}`);
  }
}

function keyIn(file: string): KeyObject | null {
  try {
    return createPrivateKey(readFileSync(file));
  } catch {
    return null;
  }
}

function builtManifests(): string[] {
  const dist = join(ROOT, "dist");
  return (existsSync(dist) ? readdirSync(dist) : [])
    .filter((name) => name.endsWith(MANIFEST))
    .map((name) => join(dist, name));
}
