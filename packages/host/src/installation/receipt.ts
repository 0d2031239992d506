/**
 * What an installation consists of, and how it came about. The receipt lies beside the executable that it put in force.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  type DeploymentChangedBody,
  FemtoError,
  type Installation,
  parseStrictJson,
  printable,
} from "@femtoclaw/protocol";
import { SecureDirectory } from "@femtoclaw/runtime/secure-file";
import type { Scope } from "./layout.ts";

export const RECEIPT_NAME = "receipt.json";
/** LIMIT: bytes of a receipt; one has about 4,000, and 200 more for each change. */
const RECEIPT_BYTES_MAX = 1_048_576;
/** LIMIT: changes that a receipt keeps. A host that started since has recorded the older ones. */
const CHANGES_MAX = 64;

/** Something that did not exist before the installation, so that it is right to remove it. */
export type InstalledFile =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "file"; readonly path: string; readonly sha256: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

/** The user that the service runs as. */
export interface Owner {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Receipt {
  readonly format: 1;
  readonly scope: Scope;
  readonly prefix: string | null;
  readonly version: string;
  readonly binary: string;
  readonly installed_at: string;
  /** INVARIANT: I8: the key that was pinned with the first executable; every later one has to be signed by it. */
  readonly key: string;
  /** The deployment that was in force before; null for the first. */
  readonly previous: string | null;
  /** Digest of every machine version that records of this installation may name. */
  readonly machines: Readonly<Record<string, string>>;
  readonly configuration: string;
  readonly command: string;
  readonly data: string;
  /** Null if the configuration existed before, because it then says itself where state lies. */
  readonly state: string | null;
  readonly unit: string | null;
  /** Null if the host runs as the user who installed it. */
  readonly owner: Owner | null;
  readonly files: readonly InstalledFile[];
  /** The oldest first; the last one put this executable in force. */
  readonly changes: readonly DeploymentChangedBody[];
}

export interface ReadReceipt {
  readonly receipt: Receipt;
  readonly sha256: string;
}

export function receiptText(receipt: Receipt): string {
  return `${JSON.stringify({ ...receipt, changes: receipt.changes.slice(-CHANGES_MAX) }, null, 2)}\n`;
}

/** Null if there is none. Throws for a receipt that others could have written, or that is damaged. */
export function readReceipt(deployment: string): ReadReceipt | null {
  using folder = SecureDirectory.open(deployment);
  const bytes = folder?.read(RECEIPT_NAME, RECEIPT_BYTES_MAX);
  if (bytes === undefined) return null;
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok || !isReceipt(parsed.value)) {
    throw new FemtoError("FEMTO_INSTALL_REFUSED", `${printable(join(deployment, RECEIPT_NAME), 4_096)} is damaged`, {
      fix: "Restore the receipt from a backup of this folder, or install into another folder with --prefix.",
    });
  }
  return { receipt: parsed.value, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** What the record of a boot says about the installation. */
export function installationOf({ receipt, sha256 }: ReadReceipt): Installation {
  const { scope, version, binary, installed_at } = receipt;
  return { scope, version, binary, installed_at, receipt: sha256 };
}

/** A later version may have written more. What is read here has to be right. */
function isReceipt(value: unknown): value is Receipt {
  if (typeof value !== "object" || value === null) return false;
  const receipt = value as Record<keyof Receipt, unknown>;
  const texts = [receipt.version, receipt.binary, receipt.installed_at, receipt.key];
  const paths = [receipt.configuration, receipt.command, receipt.data];
  const pathsOrNull = [receipt.prefix, receipt.state, receipt.unit].filter((path) => path !== null);
  return (
    receipt.format === 1 &&
    (receipt.scope === "system" || receipt.scope === "user") &&
    texts.every((text) => typeof text === "string") &&
    [...paths, ...pathsOrNull].every((path) => typeof path === "string" && path.startsWith("/")) &&
    (receipt.previous === null || isDeploymentName(receipt.previous)) &&
    (receipt.owner === null || isOwner(receipt.owner)) &&
    typeof receipt.machines === "object" &&
    receipt.machines !== null &&
    Array.isArray(receipt.files) &&
    receipt.files.every(isInstalledFile) &&
    Array.isArray(receipt.changes) &&
    receipt.changes.every((change: unknown) => typeof (change as { id?: unknown } | null)?.id === "string")
  );
}

/** INVARIANT: a name that a file mentions is that of a deployment beside the others, and no path to anywhere else. */
export function isDeploymentName(value: unknown): value is string {
  return typeof value === "string" && /^\d+-[\d.]+$/.test(value);
}

function isOwner(value: unknown): value is Owner {
  const owner = value as Partial<Owner>;
  return typeof owner.name === "string" && Number.isSafeInteger(owner.uid) && Number.isSafeInteger(owner.gid);
}

export function isInstalledFile(value: unknown): value is InstalledFile {
  const file = value as { kind?: unknown; path?: unknown; sha256?: unknown; target?: unknown } | null;
  if (typeof file?.path !== "string" || !file.path.startsWith("/")) return false;
  if (file.kind === "file") return typeof file.sha256 === "string";
  return file.kind === "folder" || (file.kind === "link" && typeof file.target === "string");
}
