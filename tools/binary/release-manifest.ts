/** Writes what an executable is made of. It is not signed here, because no build has the key. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import { type ReleaseManifest, SCHEMA_DIGESTS, VERSION } from "@femtoclaw/protocol";
import { machineDigests, manifestDigests } from "@femtoclaw/runtime/deployment";
import { digestsOf, sha256 } from "./bundle.ts";

export interface BuiltExecutable {
  readonly target: string;
  readonly program: Uint8Array;
  readonly assets: ReadonlyMap<string, Uint8Array>;
}

export function releaseManifest({ target, program, assets }: BuiltExecutable): { text: string; sha256: string } {
  const digest = sha256(program);
  const manifest: ReleaseManifest = {
    format: 1,
    name: "femtoclaw",
    version: VERSION,
    target,
    node: process.version,
    binary: { sha256: digest, bytes: program.length },
    assets: digestsOf(assets),
    schemas: { ...SCHEMA_DIGESTS },
    machines: machineDigests(),
    capabilities: manifestDigests(builtinCapabilities.map(({ manifest }) => manifest)),
  };
  return { text: `${JSON.stringify(manifest, null, 2)}\n`, sha256: digest };
}
