/** Words for what is asked of the machine: its service, the commands of its user, and what the kernel says of its groups. */
import assert from "node:assert/strict";
import type { Guest, Said } from "./guest.ts";

const UNIT = "femtoclaw.service";
const LOOK_AGAIN_S = 2;
const LOOKS = 90;

/** How one host is reached: that of the machine, or that of one of its users. */
export interface Service {
  readonly systemctl: string;
  /** Beginning of a command by the user of the host. */
  readonly femtoclaw: string;
  /** Beginning of any other command by that user. */
  readonly as: string;
  readonly configuration: string;
  readonly data: string;
}

export const OF_MACHINE: Service = (() => {
  const as = "setpriv --reuid femtoclaw --regid femtoclaw --clear-groups env HOME=/var/lib/femtoclaw/home";
  const configuration = "/etc/femtoclaw/femtoclaw.toml";
  const femtoclaw = `${as} /usr/local/bin/femtoclaw --config ${configuration}`;
  return { systemctl: "systemctl", femtoclaw, as, configuration, data: "/var/lib/femtoclaw" };
})();

export const OF_ALICE: Service = (() => {
  const as = "runuser -u alice -- env HOME=/home/alice XDG_RUNTIME_DIR=/run/user/$(id -u alice)";
  const configuration = "/home/alice/.config/femtoclaw/femtoclaw.toml";
  const femtoclaw = `${as} /home/alice/.local/bin/femtoclaw --config ${configuration}`;
  return {
    ...{ systemctl: `${as} systemctl --user`, femtoclaw, as, configuration },
    data: "/home/alice/.local/share/femtoclaw",
  };
})();

export interface Reply {
  readonly status: string;
  readonly seq: number;
  /** The question that it waits for. */
  readonly approval?: { readonly id: string };
  readonly result: {
    readonly exit_code: number | null;
    readonly stdout: string;
    readonly exceeded?: readonly string[];
    readonly sandbox: string;
  };
}

export class Asked {
  readonly #guest: () => Guest;

  constructor(guest: () => Guest) {
    this.#guest = guest;
  }

  /** Runs a script, however it ends. */
  async said(script: string): Promise<Said> {
    return await this.#guest().run(script);
  }

  /** Runs a script that has to end well. */
  async ran(script: string): Promise<string> {
    const said = await this.said(script);
    assert.equal(said.code, 0, `${script}\n${said.stdout}${said.stderr}`);
    return said.stdout;
  }

  /** Runs a script that has to end otherwise. */
  async failed(script: string): Promise<Said> {
    const said = await this.said(script);
    assert.notEqual(said.code, 0, `${script}\n${said.stdout}${said.stderr}`);
    return said;
  }

  /** Waits until a script ends well, as long as a slow machine may need. */
  async until(script: string): Promise<void> {
    const wait = `for look in $(seq ${LOOKS}); do if ${script}; then exit 0; fi; sleep ${LOOK_AGAIN_S}; done; exit 1`;
    await this.ran(wait);
  }

  async property(service: Service, name: string): Promise<string> {
    return (await this.ran(`${service.systemctl} show -p ${name} --value ${UNIT}`)).trim();
  }

  async start(service: Service): Promise<void> {
    const { systemctl } = service;
    const journal =
      service === OF_MACHINE ? "journalctl -u femtoclaw" : "journalctl _SYSTEMD_USER_UNIT=femtoclaw.service";
    await this.ran(`${systemctl} daemon-reload; ${systemctl} reset-failed ${UNIT} 2>/dev/null
      ${systemctl} start ${UNIT} || { ${systemctl} stop ${UNIT}; ${journal} -n 30 --no-pager -o cat >&2; exit 1; }`);
  }

  async json<T>(service: Service, words: string): Promise<T> {
    return JSON.parse(await this.ran(`${service.femtoclaw} --json ${words}`)) as T;
  }

  /** Proposes a program, and tells what came of it. */
  async exec(service: Service, bin: string, ...argv: string[]): Promise<Reply> {
    return await this.call(service, { bin, argv });
  }

  async call(service: Service, args: { bin: string; argv: readonly string[]; stdin?: string }): Promise<Reply> {
    const said = await this.said(`${service.femtoclaw} --json call process_exec ${quoted(JSON.stringify(args))}`);
    assert.match(said.stdout, /^\{/, said.stderr);
    return JSON.parse(said.stdout) as Reply;
  }

  /** All groups of the service, by their names below its own, but those that systemd makes. */
  async groups(service: Service): Promise<string[]> {
    const own = await this.property(service, "ControlGroup");
    const found = await this.ran(
      `cd /sys/fs/cgroup${own} && find . -mindepth 1 -type d -not -name .control -printf '%P\\n'`,
    );
    return found.split("\n").filter(Boolean).sort();
  }
}

export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
