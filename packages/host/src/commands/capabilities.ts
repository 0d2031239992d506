/** `capabilities list|show|accept|reset|enable|disable`: the running host's registry and the packages in it. */
import { builtinCapabilities } from "@femtoclaw/capabilities";
import {
  type CapabilityManifest,
  EXIT,
  FemtoError,
  type OfferedTool,
  type PackageView,
  printable,
  type RegisteredCapability,
} from "@femtoclaw/protocol";
import { confirms } from "../terminal/confirm.ts";
import { fittingTable, table } from "../terminal/table.ts";
import type { CommandContext } from "./command-context.ts";

/** The first characters of a digest are enough to recognize it. */
const DIGEST_CHARS = 12;

/** On a narrow terminal: `capabilities show` has what is left out, and what a pin asks for is said below the table. */
const GIVING_WAY = { leaveOut: [1, 5, 6, 4], cut: 0 };

export async function listCapabilities(context: CommandContext): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const capabilities = await operator.capabilities();
  const packages = await operator.packages();
  const pinOf = (name: string): PackageView["state"] | null => packages.find((one) => one.name === name)?.state ?? null;
  if (output.json) {
    output.value(capabilities.map((one) => ({ ...one, pin: pinOf(one.name) })));
    return EXIT.ok;
  }
  const rows = capabilities.map(({ name, version, enabled, source, locked, isolation, origin = "", trusted }) => [
    name,
    version,
    enabled ? output.style("green", "enabled") : output.style("dim", "disabled"),
    locked ? `${source}, locked` : source,
    trusted === true ? `${isolation}, trusted` : isolation,
    origin,
    pinText(pinOf(name), context),
  ]);
  const all = [["name", "version", "state", "set by", "isolation", "origin", "pin"], ...rows];
  for (const line of fittingTable(all, { columns: output.dataColumns, ...GIVING_WAY })) output.line(line);
  const waiting = packages.filter(({ state }) => state !== "accepted");
  for (const { name, problem } of waiting) output.talk(`${name}: ${printable(problem ?? "", 500)}`);
  return EXIT.ok;
}

/** Shows all about one capability: what it declares, where it comes from, and which of its files are accepted. */
export async function showCapability(context: CommandContext, name: string): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const registered = (await operator.capabilities()).find((one) => one.name === name);
  if (registered === undefined) throw notFound(name);
  const found = (await operator.packages()).find((one) => one.name === name) ?? null;
  const manifest = found?.manifest ?? builtinCapabilities.find((one) => one.manifest.name === name)?.manifest ?? null;
  if (output.json) output.value({ ...registered, manifest, package: found });
  else for (const line of capabilityLines(registered, manifest, found, context)) output.line(line);
  return EXIT.ok;
}

export interface AcceptOptions {
  readonly yes?: boolean;
}

/** Accepts the files of a package as they are now, identified by the digests that were shown. */
export async function acceptPackage(
  context: CommandContext,
  name: string,
  { yes = false }: AcceptOptions,
): Promise<number> {
  const { output } = context;
  await using operator = await context.operator();
  const found = (await operator.packages()).find((one) => one.name === name);
  if (found === undefined) throw notFound(name);
  const files = found.files.flatMap(({ name: file, sha256 }) => (sha256 === null ? [] : [{ name: file, sha256 }]));
  if (found.set_sha256 === null || files.length === 0) {
    throw new FemtoError("FEMTO_CONFIG_INVALID", found.problem ?? `the package of ${printable(name, 64)} has no files`);
  }
  if (!output.json) {
    output.talk(`${found.path}  ${found.set_sha256.slice(0, DIGEST_CHARS)}`);
    for (const line of fileLines(found.files, context)) output.talk(line);
  }
  if (!yes && !(await confirms(`let ${name} run as it lies there now?`, "yes"))) {
    output.talk("nothing was accepted; --yes accepts it without being asked");
    return EXIT.no;
  }
  await operator.acceptPackage(name, files);
  if (output.json) output.value({ name, accepted: files });
  else output.line(`${files.length} files of ${name} are accepted`);
  return EXIT.ok;
}

export async function resetPackage(context: CommandContext, name: string): Promise<number> {
  await using operator = await context.operator();
  await operator.resetPackage(name);
  if (context.output.json) context.output.value({ name, accepted: [] });
  else
    context.output.prose(`${name} is not called any more; \`femtoclaw capabilities accept ${name}\` accepts it anew`);
  return EXIT.ok;
}

export async function switchCapability(
  context: CommandContext,
  name: string,
  verb: "enable" | "disable",
): Promise<number> {
  await using operator = await context.operator();
  await operator.switchCapability(name, verb);
  const state = `${verb}d`;
  if (context.output.json) context.output.value({ name, state });
  else context.output.line(`${name} is ${state}`);
  return EXIT.ok;
}

function notFound(name: string): FemtoError {
  const fix = "`femtoclaw capabilities list` shows the names.";
  return new FemtoError("FEMTO_CAPABILITY_NOT_FOUND", `there is no capability ${printable(name, 64)}`, { fix });
}

const STYLES = { accepted: "green", quarantined: "yellow", refused: "red" } as const;

function pinText(state: PackageView["state"] | null, { output }: CommandContext): string {
  return state === null ? "" : output.style(STYLES[state], state);
}

function capabilityLines(
  { name, version, enabled, source, isolation, origin, trusted, sha256 }: RegisteredCapability,
  manifest: CapabilityManifest | null,
  found: PackageView | null,
  context: CommandContext,
): string[] {
  const { output } = context;
  const where = found === null ? (origin ?? "unknown") : `package ${printable(found.path, 500)}`;
  const rows = [
    ["origin", where],
    ["state", `${enabled ? "enabled" : "disabled"} (${source})`],
    ["isolation", trusted === true ? `${isolation}, trusted with all that the host can do` : isolation],
    ["manifest", sha256.slice(0, DIGEST_CHARS)],
    ...(manifest === null ? [] : manifestRows(manifest)),
    ...(found === null ? [] : [["pin", `${pinText(found.state, context)} (pins: ${found.pins})`]]),
    ...(found?.problem == null ? [] : [["why", printable(found.problem, 500)]]),
  ];
  const isWaiting = found?.state === "quarantined";
  return [
    `${output.style("bold", name)} ${version}`,
    ...(manifest === null ? [] : [`  ${printable(manifest.description, 2_048)}`]),
    ...table(rows, "  "),
    ...fileLines(found?.files ?? [], context),
    ...(isWaiting ? [`  it waits for an operator: femtoclaw capabilities accept ${name}`] : []),
  ];
}

function manifestRows({ effect, idempotent, input, arguments: declared, limits }: CapabilityManifest): string[][] {
  const kinds = declared.map((one) => {
    const access = one.kind === "path" ? ` to ${one.access}` : "";
    return `${printable(one.pointer, 100) || "all arguments"} is a ${one.kind}${access}`;
  });
  return [
    ["arguments", argumentNames(input)],
    ["effect", idempotent ? `${effect}, idempotent` : effect],
    ["declares", kinds.length === 0 ? "no resource" : kinds.join("; ")],
    ["limits", `${limits.timeout_ms} ms, ${limits.output_bytes} bytes`],
  ];
}

/** Those that every call needs come first, and the others in brackets. `--json` shows the whole schema. */
function argumentNames({ properties, required }: CapabilityManifest["input"]): string {
  const names = Object.keys((properties ?? {}) as object);
  const isNeeded = (name: string): boolean => Array.isArray(required) && required.includes(name);
  const optional = names.filter((name) => !isNeeded(name)).map((name) => `[${printable(name, 64)}]`);
  return [...names.filter(isNeeded).map((name) => printable(name, 64)), ...optional].join(" ") || "none";
}

const FILE_STYLES = {
  offered: "green",
  new: "yellow",
  changed: "red",
  refused: "red",
  excluded: "dim",
  gone: "red",
} as const;

/** Files in the state `offered` are shown as `accepted`, because they are as they were when they were accepted. */
function fileLines(files: readonly OfferedTool[], { output }: CommandContext): string[] {
  const rows = files.map(({ name, state, sha256, pinned }) => [
    printable(name, 128),
    output.style(FILE_STYLES[state], state === "offered" ? "accepted" : state),
    (sha256 ?? "").slice(0, DIGEST_CHARS),
    pinned === null || pinned === sha256 ? "" : `was ${pinned.slice(0, DIGEST_CHARS)}`,
  ]);
  return table(rows, "  ");
}
