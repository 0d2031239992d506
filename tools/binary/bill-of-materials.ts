/**
 * The bill of materials of an executable, as CycloneDX 1.6, and the texts of the licences; both follow from lock file
 * and bundle.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../../packages/protocol/src/version.ts";
import { lockFile, ROOT } from "./locked-file.ts";
import { HERE, targetOf } from "./targets.ts";

interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string | null;
  /** As the lock file has it: `sha512-` and base64. */
  readonly integrity: string | null;
  /** Where its licence lies. */
  readonly folder: string;
}

interface Package {
  readonly license?: string;
}

/** The packages whose code is in the executable, and its Node.js. */
export function partsOf(packages: readonly string[], target: string): Part[] {
  const locked = lockFile().packages;
  const twins = twinsOf(target);
  const folders = [...packages, `node_modules/${targetOf(target).node.name}`];
  return folders.map((folder) => {
    const entry = locked[folder];
    if (entry?.version === undefined) throw new Error(`the lock file does not name ${folder}`);
    const installed = existsSync(join(ROOT, folder)) ? folder : (twins.get(folder) ?? folder);
    const path = join(ROOT, installed, "package.json");
    const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
    const { license = null } = JSON.parse(readFileSync(path, "utf8")) as Package;
    return { name, version: entry.version, license, integrity: entry.integrity ?? null, folder: installed };
  });
}

/** A package for another system need not be installed here; its licence is that of its counterpart for this one. */
function twinsOf(target: string): ReadonlyMap<string, string> {
  const [there, here] = [targetOf(target), targetOf(HERE)];
  const pairs = [
    [there.node.name, here.node.name],
    [there.terminals, here.terminals],
  ];
  return new Map(pairs.map(([name, twin]) => [`node_modules/${name}`, `node_modules/${twin}`]));
}

/** Contains no time and nothing random, so that the same build gives the same bytes. */
export function billOfMaterials(parts: readonly Part[], target: string, sha256: string): string {
  const components = parts.map(({ name, version, license, integrity }) => ({
    type: "library",
    "bom-ref": purl(name, version),
    name,
    version,
    purl: purl(name, version),
    ...(license === null ? {} : { licenses: [{ license: { id: license } }] }),
    ...(integrity === null ? {} : { hashes: [{ alg: "SHA-512", content: hex(integrity) }] }),
  }));
  const application = {
    type: "application",
    "bom-ref": `femtoclaw-${target}`,
    name: "femtoclaw",
    version: VERSION,
    licenses: [{ license: { id: "Apache-2.0" } }],
    hashes: [{ alg: "SHA-256", content: sha256 }],
  };
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(sha256)}`,
    version: 1,
    metadata: { component: application },
    components,
    dependencies: [{ ref: application["bom-ref"], dependsOn: components.map(({ purl }) => purl) }],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** Licences require that their texts accompany the code. */
export function licences(parts: readonly Part[]): string {
  const own = `FemtoClaw ${VERSION}\n\n${readFileSync(join(ROOT, "LICENSE"), "utf8")}`;
  const others = parts.map(({ name, version, license, folder }) => {
    const heading = `${name} ${version}, ${license ?? "no licence named"}`;
    const path = join(ROOT, folder);
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry));
    return file === undefined ? `${heading}\n` : `${heading}\n\n${readFileSync(join(path, file), "utf8")}`;
  });
  return [own, ...others].join(`\n${"=".repeat(120)}\n\n`);
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
}

function hex(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex");
}

/** An identifier that is derived from the content, in the form of a UUID. */
function uuidOf(sha256: string): string {
  const digest = createHash("sha256").update(`femtoclaw bill of materials ${sha256}`).digest("hex");
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return [...parts, digest.slice(20, 32)].join("-");
}
