/**
 * What a configuration would allow, in words that a person can base a decision on; for `trust`, `init` and `doctor`.
 */
import { isDeepStrictEqual } from "node:util";
import {
  type ConnectGrant,
  EVERYBODY,
  type FetchGrant,
  fetchText,
  type McpGrant,
  mcpGrantText,
  type PathGrant,
  type ProgramGrant,
  printable,
} from "@femtoclaw/protocol";
import type { ResolvedConfiguration } from "@femtoclaw/runtime";
import type {
  CapabilitySetting,
  ChatSetting,
  LaunchSetting,
  PackageSetting,
  Rights,
  UpstreamSetting,
  WitnessSetting,
} from "@femtoclaw/runtime/configuration";
import { endpointUrl } from "../endpoints/endpoint-url.ts";

type Section = readonly [title: string, lines: readonly string[]];

/** Plain lines. Everything that comes from the configuration is made printable. */
export function describeAuthority(resolved: ResolvedConfiguration): string {
  const { authority, capabilities, shadow, ...rest } = resolved;
  const sections: readonly Section[] = [
    ["workspace", [shown(authority.workspace)]],
    ["enabled capabilities", [...capabilities].filter(([, { enabled }]) => enabled).map(capability)],
    ...rightsSections(authority),
    ["operators may launch as agents, in the sandbox", (rest.launches ?? []).map(launch)],
    ["agents with fewer rights", Object.keys(authority.agents ?? {})],
    ["programs may connect to", (authority.connect ?? []).map(connection)],
    ["programs also see", authority.childRead.map(shown)],
    ["programs are found in", [authority.searchPath.map(shown).join(", ")]],
    ["calls may set the variables", authority.environmentNames],
    ["operators with a key", rest.approvals.operators.map(shown)],
    ["answers need", rest.approvals.operatorKey ? ["the signature of one of these operators"] : []],
    ["telemetry goes to", rest.otlpEndpoint === undefined ? [] : [shown(rest.otlpEndpoint)]],
    ["metrics are served at", rest.prometheus === undefined ? [] : [endpointUrl(rest.prometheus)]],
    ["health is served at", rest.health === undefined ? [] : [endpointUrl(rest.health)]],
    ["where others may ask as", (rest.endpointHosts ?? []).map(shown)],
    [
      "questions are told to",
      rest.approvals.webhook === undefined ? [] : [shown(new URL(rest.approvals.webhook.url).origin)],
    ],
    ["`femtoclaw chat` sends what is said, and read, to", rest.chat === undefined ? [] : [chat(rest.chat)]],
    [rest.witnessesRequired ? "calls need as witness" : "checkpoints go to", rest.witnesses.map(witness)],
    ["capabilities of others, which run in the sandbox", rest.packages.map(capabilityPackage)],
    ["MCP servers of others", rest.upstreams.map(upstream)],
    ["state is kept in", [shown(rest.stateDirectory)]],
    ...(shadow === undefined ? [] : trialSections(authority, shadow)),
  ];
  return sections
    .filter(([title, lines]) => lines.length > 0 || /^may (?!call)/.test(title))
    .flatMap(([title, lines]) => [`${title}:`, ...(lines.length > 0 ? lines : ["nothing"]).map((line) => `  ${line}`)])
    .join("\n");
}

/** The tables' content, in force or on trial. */
function rightsSections({ allow, ask, deny, ...rights }: Rights): readonly Section[] {
  return [
    ["may read", allow.read.map(path)],
    ["may write", allow.write.map(path)],
    ["may run", allow.run.map(program)],
    ["may fetch from", (allow.fetch ?? []).map(host)],
    ["may call the tools", (allow.tools ?? []).map(tool)],
    ["asks before it reads", ask.read.map(path)],
    ["asks before it writes", ask.write.map(path)],
    ["asks before it runs", ask.run.map(program)],
    ["asks before it fetches from", (ask.fetch ?? []).map(host)],
    ["asks before it calls", (ask.tools ?? []).map(tool)],
    ["asks", ask.approvers === undefined ? [] : [`${ask.approvers} different operators, who sign`]],
    ["never reads", deny.read.map(path)],
    ["never writes", deny.write.map(path)],
    ["never runs", deny.run.map(program)],
    ["never fetches from", (deny.fetch ?? []).map(host)],
    ["never calls", (deny.tools ?? []).map(tool)],
    ["secrets, which programs never see", (rights.sensitive?.secret ?? []).map(path)],
    ["never runs once a secret may have been read", (rights.after?.secret ?? []).map(program)],
    ["never fetches once a secret may have been read from", (rights.after?.secretFetch ?? []).map(host)],
    ["never calls once a secret may have been read", (rights.after?.secretTools ?? []).map(tool)],
    ["untrusted content", (rights.sensitive?.untrusted ?? []).map(path)],
    ["never runs once that may have been read", (rights.after?.untrusted ?? []).map(program)],
    ["never fetches once that may have been read from", (rights.after?.untrustedFetch ?? []).map(host)],
    ["never calls once that may have been read", (rights.after?.untrustedTools ?? []).map(tool)],
    ["a session is halted after", Object.entries(rights.budgets ?? {}).map(budget)],
  ];
}

/** What the rules on trial would change, under titles that nobody can mistake for what is in force. */
function trialSections(inForce: Rights, onTrial: Rights): readonly Section[] {
  const before = new Map(rightsSections(inForce));
  const others = rightsSections(onTrial).filter(([title, lines]) => lines.join("\n") !== before.get(title)?.join("\n"));
  const agents = Object.entries(onTrial.agents ?? {}).flatMap(([name, tables]) =>
    isDeepStrictEqual(tables, inForce.agents?.[name]) ? [] : [name],
  );
  const sections = [...others, ...(agents.length > 0 ? [["other rights of the agents", agents] as const] : [])].map(
    ([title, lines]): Section => [`on trial, and in force nowhere: ${title}`, lines.length > 0 ? lines : ["nothing"]],
  );
  return sections.length > 0 ? sections : [["on trial, and in force nowhere", ["the same tables"]]];
}

const shown = (text: string): string => printable(text, 4_096);
const path = (grant: PathGrant): string => `${shown(grant.path)}  (${grant.source})`;

const host = (grant: FetchGrant): string => `${shown(fetchText(grant))}  (${grant.source})`;

const connection = (grant: ConnectGrant): string => `${shown(grant.program)}: ${host(grant)}`;

const tool = (grant: McpGrant): string => `${shown(mcpGrantText(grant))}  (${grant.source})`;

function capabilityPackage({ name, path, pins }: PackageSetting): string {
  const who = pins === "operator" ? "once an operator accepted its files" : "as it is found first";
  return `${name}: ${shown(path)}, ${who}`;
}

function upstream({ name, at, pins, mayAsk = [] }: UpstreamSetting): string {
  const where =
    at.kind === "command"
      ? `${[at.program, ...at.args].map(shown).join(" ")}, which runs in the sandbox${at.env.length === 0 ? "" : ` and gets ${at.env.join(" ")}`}`
      : shown(at.url);
  const asks = mayAsk.length === 0 ? "" : `; it may ask its caller for ${mayAsk.join(", ")}`;
  const accepted = pins === "operator" ? "an operator accepts its tools" : "its first tools are accepted";
  return `${name}: ${where}; ${accepted}${asks}`;
}

function launch({ name, program: file, principal, env, kind, model, baseUrl, source }: LaunchSetting): string {
  const given = env.length === 0 ? "" : `, which gets ${env.map(shown).join(" ")}`;
  const whose = principal === EVERYBODY ? "" : ` with the rights of ${shown(principal)}`;
  const asked = [
    ...(model === undefined ? [] : [shown(model)]),
    ...(baseUrl === undefined ? [] : [`at ${shown(baseUrl)}`]),
  ];
  const told =
    kind === "other" ? "" : `, configured as ${kind}${asked.length === 0 ? "" : ` to ask ${asked.join(" ")}`}`;
  return `${shown(name)}: ${shown(file)}${whose}${given}${told}  (${source})`;
}

function budget([name, { limit, source }]: [string, { readonly limit: number; readonly source: string }]): string {
  return `${limit} ${name}  (${source})`;
}

function chat({ provider, model, base_url, key }: ChatSetting): string {
  const keyed =
    key === undefined ? "" : `, with the key in ${"file" in key ? key.file : `the variable ${key.variable}`}`;
  return shown(`${model} at ${base_url ?? provider}${keyed}`);
}

function witness(setting: WitnessSetting): string {
  switch (setting.kind) {
    case "file":
      return `the file ${shown(setting.path)}`;
    case "command":
      return `the command ${setting.command.map(shown).join(" ")}, which runs outside every sandbox`;
    case "http":
      return shown(setting.url);
  }
}

function program({ path: file, realPath, use, source }: ProgramGrant): string {
  const target = realPath === file ? "" : ` -> ${shown(realPath)}`;
  return `${shown(file)}${target}: ${described(use)}  (${source})`;
}

function described(use: ProgramGrant["use"]): string {
  if (use.kind === "any") return use.unsafe ? "any arguments, and so any code within the sandbox" : "any arguments";
  const flags =
    use.flags.length === 0 ? "no options" : `no options but ${use.flags.map((flag) => shown(flag)).join(" ")}`;
  return `${shown(use.word)} … with ${flags}`;
}

function capability([name, { timeoutMs, outputBytes }]: [string, CapabilitySetting]): string {
  const limits = [
    ...(timeoutMs === undefined ? [] : [`at most ${timeoutMs} ms`]),
    ...(outputBytes === undefined ? [] : [`at most ${outputBytes} bytes of output`]),
  ];
  return [name, ...limits].join(", ");
}
