/** The unit by which systemd starts the host. */
import { join } from "node:path";
import { EXIT } from "@femtoclaw/protocol";
import { HOST_START_S } from "../process/start-limit.ts";
import { homeOf } from "./host-control.ts";
import type { Layout } from "./layout.ts";
import type { Owner } from "./receipt.ts";

export interface UnitParts {
  readonly layout: Layout;
  readonly program: string;
  readonly configuration: string;
  readonly owner: Owner | null;
}

/** The command of systemd for services of this scope. */
export const systemctlOf = (scope: Layout["scope"]): string => (scope === "user" ? "systemctl --user" : "systemctl");

/**
 * INVARIANT: I3: nothing here keeps the sandbox from working, because a host without a sandbox refuses to start.
 * Bubblewrap mounts a /proc of its own, so the unit has no option that mounts over parts of /proc
 * (ProtectKernelTunables, ProtectKernelLogs, ProtectProc). It also has none that takes namespaces away, and none that
 * forbids writable code, which the JavaScript engine makes. RestrictSUIDSGID is missing because it takes away openat2,
 * by which bubblewrap and Landlock's launcher look up paths; the filter of a child refuses what this option would.
 */
export function unitText({ layout, program, configuration, owner }: UnitParts): string {
  const lines = [
    `# Written by \`femtoclaw install\`. Put changes into a drop-in (\`${systemctlOf(layout.scope)} edit femtoclaw\`), so that it stays as it is.`,
    "[Unit]",
    "Description=FemtoClaw, the execution authority of agents",
    "",
    "[Service]",
    "Type=notify",
    "NotifyAccess=main",
    // A host that hangs is killed and started again. Its journal is then as after any kill.
    "WatchdogSec=60",
    `ExecStart=${word(program)} --config ${word(configuration)} up`,
    // By a command, because a signal tells nobody that the new policy was rejected.
    `ExecReload=${word(program)} --config ${word(configuration)} reload`,
    "Restart=on-failure",
    "# A configuration that is wrong stays so until somebody mends it.",
    `RestartPreventExitStatus=${EXIT.configuration}`,
    // systemd gives up after five starts in ten seconds. This is slow enough for it to go on trying until whatever is
    // missing is there.
    "RestartSec=3",
    "KillMode=mixed",
    `TimeoutStartSec=${HOST_START_S}`,
    "TimeoutStopSec=30",
    "OOMPolicy=continue",
    "# A control group of its own, in which the host makes one for each program.",
    "Delegate=yes",
    "UMask=0077",
    "LimitCORE=0",
    "NoNewPrivileges=yes",
    ...(owner === null ? [] : systemLines(layout, owner)),
    "",
    "[Install]",
    `WantedBy=${layout.scope === "system" ? "multi-user.target" : "default.target"}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** The options that systemd can apply only as root. */
function systemLines({ data, prefix }: Layout, { name }: Owner): string[] {
  return [
    `User=${name}`,
    `Environment=${word(`HOME=${homeOf(data)}`)}`,
    "CapabilityBoundingSet=",
    "LockPersonality=yes",
    "ProtectKernelModules=yes",
    "RestrictNamespaces=user pid mnt net ipc uts cgroup",
    "SystemCallArchitectures=native",
    "# Folders that calls may write besides these need a ReadWritePaths= of their own.",
    "ProtectSystem=strict",
    `ReadWritePaths=${word(data)}`,
    // An installation with a prefix may lie in a home, or in /tmp.
    ...(prefix === null ? ["ProtectHome=yes", "PrivateTmp=yes"] : []),
  ];
}

/** Quotes a word that has spaces. Quotes are enough, because the layout takes no path with quotes, `%` or `$`. */
const word = (text: string): string => (text.includes(" ") ? `"${text}"` : text);

/** The folders below the data of an installation. */
export const dataFolders = (data: string) => ({
  workspace: join(data, "workspace"),
  state: join(data, "state"),
  sockets: join(data, "run"),
  home: homeOf(data),
});
