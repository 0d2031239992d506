/**
 * What `doctor` reports about agents that operators may launch: how each is configured, and what would keep it from
 * working.
 */
import { connectGrants, DEFAULT_PORTS, type FetchTarget, isPermittedBy, printable } from "@femtoclaw/protocol";
import type { ResolvedConfiguration } from "@femtoclaw/runtime";
import type { LaunchSetting } from "@femtoclaw/runtime/configuration";
import type { Found } from "../doctor/finding.ts";

export function launchFinding(
  { launches = [], authority }: ResolvedConfiguration,
  isShown: (path: string) => boolean,
): Found {
  for (const setting of launches) {
    const trouble = isShown(setting.realPath) ? troubleOf(setting, authority) : unseen(setting);
    if (trouble !== null) return { verdict: "warn", ...trouble };
  }
  const told = launches.map(({ name, kind }) => {
    return kind === "other" ? `${printable(name)} as it configures itself` : `${printable(name)} as ${kind}`;
  });
  return { verdict: "ok", detail: told.join(", ") };
}

type Trouble = { readonly detail: string; readonly fix: string };

function unseen({ name, realPath }: LaunchSetting): Trouble {
  return {
    detail: `${printable(name)} cannot start: ${printable(realPath, 4_096)} is not visible inside the sandbox, or lies where programs may write`,
    fix: "Name its folder under [sandbox].read, and do not grant writing to it.",
  };
}

function troubleOf(setting: LaunchSetting, authority: ResolvedConfiguration["authority"]): Trouble | null {
  const { name, kind, model, baseUrl, program } = setting;
  const shown = printable(name);
  const hosts = connectGrants(authority, setting);
  const target = baseUrl === undefined ? null : targetOf(new URL(baseUrl));
  if (target !== null && !hosts.some((grant) => isPermittedBy(grant, target))) {
    return {
      detail: `${shown} cannot reach its model: no entry of [sandbox].connect for ${printable(program, 4_096)} names it`,
      fix: `Add connect = { ${shown} = ["${target.host}:${target.port}"] } to [sandbox], with the name of its program.`,
    };
  }
  if (hosts.length === 0 && kind !== "other") {
    return {
      detail: `${shown} reaches no host: [sandbox].connect has no entry for ${printable(program, 4_096)}`,
      fix: "Add the host of its model there, for example api.anthropic.com or api.openai.com.",
    };
  }
  if (kind === "codex" && model === undefined) {
    return {
      detail: `${shown} chooses its model itself, and with some models has a tool that edits files, which changes nothing`,
      fix: `Name a model: model = "…" in [launch.${shown}].`,
    };
  }
  return null;
}

/** The proxy is asked for a tunnel, whatever protocol is spoken in it. */
function targetOf({ hostname, port, protocol }: URL): FetchTarget {
  const usual = protocol === "http:" ? DEFAULT_PORTS.http : DEFAULT_PORTS.https;
  return { scheme: "https", host: hostname, port: port === "" ? usual : Number(port) };
}
