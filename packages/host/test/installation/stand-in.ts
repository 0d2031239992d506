/**
 * Executables that stand in for the one of 127 MB: signed in the same way, and either this clone behind a script or a
 * script that answers as a host would, and can be told to kill whoever asks.
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineDigests } from "@femtoclaw/runtime/deployment";
import { COMMAND } from "../playground.ts";

const [NODE, LAUNCH] = COMMAND;

export interface Signer {
  readonly pem: string;
  sign(bytes: Uint8Array): Uint8Array;
}

export function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    pem: String(publicKey.export({ type: "spki", format: "pem" })),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}

/** This clone; `fails` is a command that ends with a fault instead. */
export function cloneScript(fails?: string): string {
  const broken = fails === undefined ? "" : `case " $* " in *" ${fails} "*) echo broken >&2; exit 2;; esac\n`;
  return `#!/bin/sh\n${broken}exec ${NODE} --no-warnings ${LAUNCH} "$@"\n`;
}

/**
 * A host as a file: it runs while `flag` is there. The first command that fits a line of `flag.kill`, such as `doctor`,
 * `down` or `down after`, kills the process that asked.
 */
export function flagScript(flag: string, fails = "none"): string {
  return `#!/bin/sh
for word in "$@"; do :; done
[ "$word" = --detach ] && word=up
dies() { [ "$(cat ${flag}.kill 2>/dev/null)" = "$1" ] && rm ${flag}.kill && kill -9 $PPID; }
[ "$word" = status ] && [ -e ${flag}.asked ] && dies "status again"
dies "$word"
[ "$word" = ${fails} ] && exit 2
case "$word" in
  status) touch ${flag}.asked; if [ -e ${flag} ]; then echo '{"phase":"idle"}'
    else echo '{"error":{"code":"FEMTO_HOST_NOT_RUNNING"}}'; exit 69; fi;;
  doctor) echo '[]';;
  up) echo "$0" > ${flag};;
  down) rm -f ${flag};;
esac
dies "$word after"
exit 0
`;
}

export interface ReleaseParts {
  readonly version: string;
  readonly signer: Signer;
  readonly script: string;
  /** Other things that the manifest says. */
  readonly says?: Readonly<Record<string, unknown>>;
}

/** Path of the executable, with manifest and signature beside it. */
export function release(folder: string, { version, signer, script, says }: ReleaseParts): string {
  const path = join(folder, `femtoclaw-${version}`);
  const program = Buffer.from(`${script}# ${version}\n`);
  const sha256 = createHash("sha256").update(program).digest("hex");
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ format: 1, name: "femtoclaw", version, target: `${process.platform}-${process.arch}` },
      ...{ node: process.version, binary: { sha256, bytes: program.length } },
      ...{ assets: {}, schemas: {}, machines: machineDigests(), capabilities: {}, ...says },
    }),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, program);
  chmodSync(path, 0o755);
  writeFileSync(`${path}.manifest.json`, manifest);
  writeFileSync(`${path}.manifest.sig`, signer.sign(manifest));
  return path;
}
