/** What a configuration would allow, in words that a person can decide from; for `trust`, `init` and `doctor`. */
import { type FetchGrant, fetchText, type PathGrant, type ProgramGrant, printable } from "@femtoclaw/protocol";
import type { CapabilitySetting, ResolvedConfiguration, WitnessSetting } from "@femtoclaw/runtime";

/** Plain lines. Everything that comes from the file is made printable. */
export function describeAuthority({ authority, capabilities, ...rest }: ResolvedConfiguration): string {
  const { allow, ask, deny } = authority;
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ["workspace", [shown(authority.workspace)]],
    ["enabled capabilities", [...capabilities].filter(([, { enabled }]) => enabled).map(capability)],
    ["may read", allow.read.map(path)],
    ["may write", allow.write.map(path)],
    ["may run", allow.run.map(program)],
    ["may fetch from", (allow.fetch ?? []).map(host)],
    ["asks before it reads", ask.read.map(path)],
    ["asks before it writes", ask.write.map(path)],
    ["asks before it runs", ask.run.map(program)],
    ["asks before it fetches from", (ask.fetch ?? []).map(host)],
    ["never reads", deny.read.map(path)],
    ["never writes", deny.write.map(path)],
    ["never runs", deny.run.map(program)],
    ["never fetches from", (deny.fetch ?? []).map(host)],
    ["secrets, which programs never see", (authority.sensitive?.secret ?? []).map(path)],
    ["never runs once a secret may have been read", (authority.after?.secret ?? []).map(program)],
    ["never fetches once a secret may have been read from", (authority.after?.secretFetch ?? []).map(host)],
    ["untrusted content", (authority.sensitive?.untrusted ?? []).map(path)],
    ["never runs once that may have been read", (authority.after?.untrusted ?? []).map(program)],
    ["never fetches once that may have been read from", (authority.after?.untrustedFetch ?? []).map(host)],
    ["agents with fewer rights", Object.keys(authority.agents ?? {})],
    ["a session is halted after", Object.entries(authority.budgets ?? {}).map(budget)],
    ["programs also see", authority.childRead.map(shown)],
    ["programs are found in", [authority.searchPath.map(shown).join(", ")]],
    ["calls may set the variables", authority.environmentNames],
    ["telemetry goes to", rest.otlpEndpoint === undefined ? [] : [shown(rest.otlpEndpoint)]],
    [rest.witnessesRequired ? "calls need as witness" : "checkpoints go to", rest.witnesses.map(witness)],
    ["state is kept in", [shown(rest.stateDirectory)]],
  ];
  return sections
    .filter(([title, lines]) => lines.length > 0 || title.startsWith("may "))
    .flatMap(([title, lines]) => [`${title}:`, ...(lines.length > 0 ? lines : ["nothing"]).map((line) => `  ${line}`)])
    .join("\n");
}

const shown = (text: string): string => printable(text, 4_096);
const path = (grant: PathGrant): string => `${shown(grant.path)}  (${grant.source})`;

const host = (grant: FetchGrant): string => `${shown(fetchText(grant))}  (${grant.source})`;

function budget([name, { limit, source }]: [string, { readonly limit: number; readonly source: string }]): string {
  return `${limit} ${name}  (${source})`;
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
