/**
 * Packaged capabilities of others: which files they have, what was accepted of them, and whether they may be called.
 * What runs is what was accepted, out of memory; the disk is examined only to notice that it holds something else.
 */

import { type Capability, type PackageCode, packageCapability, packageManifest } from "@femtoclaw/capabilities";
import type { JournalEntry } from "@femtoclaw/journal";
import { OneByOne } from "@femtoclaw/journal/live";
import {
  FemtoError,
  type OfferedTool,
  type PackageView,
  packagePins,
  printable,
  requireText,
  type ToolPin,
} from "@femtoclaw/protocol";
import type { PackageSetting } from "../configuration/resolve-packages.ts";
import type { Registered } from "../gate/gate-parts.ts";
import type { Problem } from "../gate/verdict.ts";
import type { LogEntry } from "../options.ts";
import type { UpstreamPins } from "../projection/upstream-pins.ts";
import { listDigest, offerOf } from "../upstreams/offer.ts";
import { QuarantineReports } from "../upstreams/quarantine-reports.ts";
import { takenPins } from "../upstreams/taken-pins.ts";
import { pinnedEntry, quarantinedEntry, unpinnedEntry } from "../upstreams/upstream-entries.ts";
import { isUnchanged, MANIFEST_NAME, type PackageFiles, problemOf, readPackage } from "./package-files.ts";

interface CapabilityPackagesParts {
  readonly packages: readonly PackageSetting[];
  pins(): Pick<UpstreamPins, "of">;
  append(entry: JournalEntry): Promise<{ readonly seq: number }>;
  log(entry: LogEntry): void;
}

interface Package {
  readonly setting: PackageSetting;
  readonly capability: Capability;
  /** The files as they were read last; a string says why they could not be read. */
  found: PackageFiles | string;
  readonly reports: QuarantineReports;
  readonly changes: OneByOne;
}

/** All files count; the configuration cannot leave any out. */
const ALL = { tools: null };

export class CapabilityPackages {
  readonly #parts: CapabilityPackagesParts;
  readonly #packages: ReadonlyMap<string, Package>;

  constructor(parts: CapabilityPackagesParts) {
    this.#parts = parts;
    this.#packages = new Map(parts.packages.map((setting) => [setting.name, this.#package(setting)]));
  }

  /** Compares what lies on the disk with what was accepted, before the first call. */
  async start(): Promise<void> {
    await Promise.all([...this.#packages.values()].map((one) => this.#held(one)));
  }

  /**
   * Resolves when it is known what the package holds by now; null if that is known already, or if the name is not that
   * of a package.
   */
  arriving(name: string): Promise<void> | null {
    const one = this.#packages.get(name);
    return one === undefined || !isStale(one) ? null : this.#look(one);
  }

  /** The registry's entry, with the package's capability and, if it cannot be called, the reason. */
  registered(name: string, base: Registered | undefined): Registered | undefined {
    const one = this.#packages.get(name);
    if (one === undefined || base === undefined) return base;
    const problem = this.#problem(one);
    if (problem !== null) return { ...base, capability: one.capability, problem };
    return { ...base, capability: one.capability, codeSha256: listDigest(this.#offer(one)) };
  }

  isCalled(name: string): boolean {
    const one = this.#packages.get(name);
    return one === undefined || this.#state(one) === "accepted";
  }

  /** The packages as they lie on the disk now. */
  async list(): Promise<PackageView[]> {
    const packages = [...this.#packages.values()];
    await Promise.all(packages.filter(isStale).map((one) => this.#look(one)));
    return packages.map((one) => this.#view(one));
  }

  /**
   * Accepts files as an operator saw them. Durable when this resolves. INVARIANT: I8: what is accepted is what was
   * seen: a package that changed since is compared with the digests that the operator named.
   */
  async accept(name: string, files: readonly ToolPin[], by: string): Promise<void> {
    requireText("name", name);
    requireText("by", by);
    const pins = takenPins(files);
    const one = this.#known(name);
    await one.changes.run(async () => {
      await this.#parts.append(pinnedEntry(packagePins(name), pins, by));
    });
    await this.#look(one);
  }

  /** Revokes what was accepted. Durable when this resolves. */
  async reset(name: string, by: string): Promise<void> {
    requireText("name", name);
    requireText("by", by);
    const one = this.#known(name);
    await one.changes.run(async () => {
      await this.#parts.append(unpinnedEntry(packagePins(name), by));
    });
  }

  #package(setting: PackageSetting): Package {
    const capability = packageCapability(setting.manifest, () => this.#code(setting.name));
    const reports = new QuarantineReports();
    return { setting, capability, found: read(setting), reports, changes: new OneByOne() };
  }

  // INVARIANT: only the very bytes that were accepted run.
  #code(name: string): PackageCode | null {
    const one = this.#known(name);
    return typeof one.found === "string" || this.#state(one) !== "accepted" ? null : one.found.code;
  }

  async #look(one: Package): Promise<void> {
    one.found = read(one.setting);
    await this.#held(one);
  }

  async #held(one: Package): Promise<void> {
    const { setting } = one;
    const server = packagePins(setting.name);
    await one.changes.run(async () => {
      if (typeof one.found === "string") return;
      const isFirst = this.#parts.pins().of(server) === undefined && setting.pins === "first_use";
      if (isFirst) await this.#parts.append(pinnedEntry(server, one.found.pins, null));
      else await this.#reportQuarantine(one, server);
    });
  }

  async #reportQuarantine(one: Package, server: string): Promise<void> {
    const offer = this.#offer(one);
    if (this.#state(one) !== "quarantined" || !one.reports.isDue(listDigest(offer))) return;
    const { name } = one.setting;
    const fix = `\`femtoclaw capabilities show ${name}\` tells what changed; \`femtoclaw capabilities accept ${name}\` accepts it.`;
    this.#parts.log({ level: "warn", event: "capability.quarantined", capability: name, fix });
    await this.#parts.append(quarantinedEntry(server, offer));
  }

  #offer({ setting, found }: Package): OfferedTool[] {
    const files = typeof found === "string" ? [] : found.pins;
    const definitions = files.map((pin) => ({ ...pin, ...NO_DEFINITION }));
    const pins = this.#parts.pins().of(packagePins(setting.name));
    return offerOf({ definitions, contents: [] }, pins, ALL).map((file) => ({ ...file, input: null }));
  }

  #state(one: Package): PackageView["state"] {
    if (typeof one.found === "string" || manifestProblem(one.setting, one.found) !== null) return "refused";
    return this.#offer(one).every(({ state }) => state === "offered") ? "accepted" : "quarantined";
  }

  #problem(one: Package): Problem | null {
    const reason = this.#reason(one);
    if (reason === null) return null;
    const { name } = one.setting;
    const fix = `Continue without it. An operator can see with \`femtoclaw capabilities show ${name}\` what changed, and accept it with \`femtoclaw capabilities accept ${name}\`.`;
    return { code: "FEMTO_TOOL_QUARANTINED", reason, fix };
  }

  #reason(one: Package): string | null {
    const { name } = one.setting;
    const state = this.#state(one);
    if (state === "accepted") return null;
    if (typeof one.found === "string") return `the capability ${name} cannot be loaded: ${one.found}`;
    if (state === "refused") return manifestProblem(one.setting, one.found);
    const pinned = this.#parts.pins().of(packagePins(name));
    if (pinned === undefined || pinned === null) return `the capability ${name} was not accepted by an operator yet`;
    const other = this.#offer(one).filter((file) => file.state !== "offered");
    const names = other.slice(0, 3).map((file) => printable(file.name, 64));
    const what = `${names.join(", ")}${other.length > names.length ? ` and ${other.length - names.length} more` : ""}`;
    return `the capability ${name} is not what was accepted: ${what} differs, and an operator has to agree`;
  }

  #view(one: Package): PackageView {
    const { name, path, manifest, pins } = one.setting;
    const files = this.#offer(one);
    const set = typeof one.found === "string" ? null : listDigest(files);
    return { name, path, manifest, pins, state: this.#state(one), problem: this.#reason(one), set_sha256: set, files };
  }

  #known(name: string): Package {
    const one = this.#packages.get(name);
    if (one !== undefined) return one;
    const fix = "Use the name of a capability that has a `package` under [capabilities].";
    throw new FemtoError("FEMTO_CAPABILITY_NOT_FOUND", `no capability ${printable(name, 64)} is a package`, { fix });
  }
}

/** A file is its digest and nothing else. */
const NO_DEFINITION = { description: "", input: {}, bytes: 0, destructive: false, problem: null };

const isStale = ({ found }: Package): boolean => typeof found === "string" || !isUnchanged(found);

function read({ path }: PackageSetting): PackageFiles | string {
  try {
    return readPackage(path);
  } catch (error) {
    return problemOf(error);
  }
}

/** Policy was compiled for what the manifest declared when the host started. */
function manifestProblem({ name, manifest }: PackageSetting, { code }: PackageFiles): string | null {
  const found = packageManifest(name, code.files.get(MANIFEST_NAME) ?? new Uint8Array());
  if (!found.ok) return `the manifest of ${name} ${found.problem}`;
  if (JSON.stringify(found.manifest) === JSON.stringify(manifest)) return null;
  return `the manifest of ${name} is not the one that the host started with; an operator has to start it again`;
}
