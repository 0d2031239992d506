/** What a machine with systemd and control groups of version 2 has to show, one thing after the other. */
import assert from "node:assert/strict";
import { VERSION } from "@femtoclaw/protocol";
import type { Story } from "../../agents/check.ts";
import { Asked, OF_ALICE, OF_MACHINE, quoted, type Service } from "./asked.ts";
import type { Guest } from "./guest.ts";
import type { Release } from "./image.ts";
import { conforms, restored } from "./installed.ts";

const BROUGHT = "/brought/femtoclaw-linux-x64";
const MIB = 1_048_576;
const LIMITS = `\n[limits]\nmemory_bytes = ${64 * MIB}\nprocesses = 16\n`;
const RUN = `echo = ["*"]\nsleep = ["*"]\nperl = [{ any = true, unsafe = true }]\n`;
const { data, configuration } = OF_MACHINE;
/** Where the calls write, which the unit has to be told of. */
const DROP_IN = "/etc/systemd/system/femtoclaw.service.d";
/** Written before the installation, which keeps it. */
const CONFIGURATION = `workspace = "/srv/project"
[capabilities]
process_exec = true
[allow]
read = ["/srv/project"]
write = ["/srv/project/out"]
[allow.run]
${RUN}
[ask.run]
tee = ["*"]
${LIMITS}
[memory]
path = "${data}/state"
[host]
runtime_dir = "${data}/run"
`;
const MEMORY = "$x .= 1 x 1e6 while 1";
/** Forks until it is refused, and says how many they were. */
const FORKS = "while (1) { my $p = fork; last unless defined $p; $p ? $n++ : do { sleep 60; exit } } print $n";

export interface Machine {
  guest: Guest;
  readonly release: Release;
  /** Ends it in order and starts it again. */
  readonly again: () => Promise<Guest>;
}

export function storyOf(machine: Machine): Story {
  const asked = new Asked(() => machine.guest);
  return [
    ["the package for Debian installs an executable that needs nothing else", () => byPackage(asked)],
    ["an installation for the machine takes calls when systemd says that it does", () => started(asked)],
    ["programs are held by control groups of version 2, and none is left of them", () => bound(asked, OF_MACHINE)],
    ["a reload leaves the host in its group, and its programs in theirs", () => reloaded(asked)],
    ["systemd starts a host again that was killed, and nothing of its programs is left", () => killed(asked)],
    ["systemd kills and starts a host again that hangs", () => hangs(asked)],
    ["what was answered after a backup stays answered in what is restored from it", () => restored(asked)],
    ["an upgrade and the way back go through systemd", () => upgraded(asked)],
    ["a user's own service has control groups, too", () => ofUser(asked)],
    ["without user namespaces a host confines by Landlock, or does not start", () => without(asked, machine.release)],
    ["a machine that is switched off while a program runs loses nothing", () => off(asked, machine)],
    ["what is installed there conforms, as far as one machine shows it", () => conforms(asked)],
  ];
}

async function byPackage(asked: Asked): Promise<void> {
  assert.equal(await asked.ran("dpkg -i /brought/femtoclaw_*.deb >/dev/null && femtoclaw --version"), `${VERSION}\n`);
  await asked.ran("dpkg -r femtoclaw >/dev/null; ! command -v femtoclaw");
}

async function started(asked: Asked): Promise<void> {
  await asked.ran(`useradd --system --user-group --no-create-home --home-dir /nonexistent femtoclaw
    mkdir -p /srv/project/out /etc/femtoclaw ${DROP_IN} && chown femtoclaw: /srv/project/out
    printf '[Service]\\nReadWritePaths=/srv/project\\n' >${DROP_IN}/project.conf
    printf %s ${quoted(CONFIGURATION)} >${configuration} && ${BROUGHT} install --system`);
  await asked.start(OF_MACHINE);
  const status = await asked.json<{ phase: string; bounds: string; sandbox: string }>(OF_MACHINE, "status");
  assert.deepEqual([status.phase, status.bounds], ["idle", "control groups (version 2)"]);
  assert.deepEqual(await asked.groups(OF_MACHINE), ["femtoclaw-host"]);
  assert.match(await asked.ran("journalctl -u femtoclaw -o cat --no-pager"), /"to":"idle"[\s\S]*ready: process/);
}

async function bound(asked: Asked, service: Service): Promise<void> {
  const memory = await asked.exec(service, "perl", "-e", MEMORY);
  assert.deepEqual([memory.result.exit_code, memory.result.exceeded], [137, ["memory_bytes"]]);
  const forks = await asked.exec(service, "perl", "-e", FORKS);
  assert.deepEqual(forks.result.exceeded, ["processes"]);
  assert(Number(forks.result.stdout) > 8 && Number(forks.result.stdout) <= 16, forks.result.stdout);
  const own = await asked.property(service, "ControlGroup");
  await asked.ran(`${sleeping(service)} & ${until("pgrep -x sleep")} || exit 1
    cd /sys/fs/cgroup$(sed s/^0::// /proc/$(pgrep -x sleep)/cgroup) && case $PWD in
      *${own}/femtoclaw-*/*) [ $(cat memory.max pids.max | tr '\\n' -) = ${64 * MIB}-18- ] ;; *) false ;; esac`);
  // Killed because all programs together had no more; it stayed below its own limit, and nobody says otherwise.
  await asked.ran(`for group in /sys/fs/cgroup${own}/femtoclaw-[0-9]*; do echo 32M >$group/memory.max; done`);
  const other = await asked.exec(service, "perl", "-e", MEMORY);
  assert.deepEqual([other.result.exit_code, other.result.exceeded ?? []], [137, []]);
  // Ended by its time, as a call is that is cancelled.
  await asked.ran(until("! pgrep -x sleep"));
  await asked.until(`[ -z "$(find /sys/fs/cgroup${own} -name 'femtoclaw-[0-9]*')" ]`);
  assert.deepEqual(await asked.groups(service), ["femtoclaw-host"]);
}

const sleeping = ({ femtoclaw }: Service): string =>
  `${femtoclaw} call process_exec '{"bin":"sleep","argv":["600"]}' >/dev/null 2>&1`;
const until = (script: string): string => `timeout 120 sh -c ${quoted(`until ${script} >/dev/null; do sleep 1; done`)}`;

async function reloaded(asked: Asked): Promise<void> {
  for (const _ of [1, 2]) {
    await asked.ran("systemctl reload femtoclaw");
    assert.equal((await asked.exec(OF_MACHINE, "echo", "on")).result.stdout, "on\n");
  }
  await asked.ran(`cp ${configuration} /root/kept && echo nonsense >>${configuration}`);
  await asked.failed("systemctl reload femtoclaw");
  await asked.ran(`cp /root/kept ${configuration} && systemctl is-active -q femtoclaw`);
  const groups = await asked.groups(OF_MACHINE);
  assert.deepEqual(
    groups.filter((name) => /^femtoclaw-host\/|\/femtoclaw-/.test(name)),
    [],
  );
}

async function killed(asked: Asked): Promise<void> {
  const before = await asked.property(OF_MACHINE, "MainPID");
  await asked.ran(
    `${sleeping(OF_MACHINE)} & ${until("pgrep -x sleep")} && kill -KILL ${before} && ${until("! pgrep -x sleep")}`,
  );
  await comesUp(asked, before);
  assert.deepEqual(await asked.groups(OF_MACHINE), ["femtoclaw-host"]);
  assert.match(await asked.ran(`${OF_MACHINE.femtoclaw} audit verify`), /./);
}

async function comesUp(asked: Asked, before: string): Promise<void> {
  await asked.until("systemctl is-active -q femtoclaw");
  assert.notEqual(await asked.property(OF_MACHINE, "MainPID"), before);
}

async function hangs(asked: Asked): Promise<void> {
  const folder = "/run/systemd/system/femtoclaw.service.d";
  await asked.ran(`mkdir -p ${folder} && printf '[Service]\\nWatchdogSec=20\\nTimeoutAbortSec=5\\n' >${folder}/watch.conf
    systemctl daemon-reload && systemctl restart femtoclaw`);
  const before = await asked.property(OF_MACHINE, "MainPID");
  await asked.ran(`kill -STOP ${before} && ${until(`! kill -0 ${before} 2>/dev/null`)}`);
  await comesUp(asked, before);
  await asked.ran(`rm -r ${folder} && systemctl daemon-reload`);
}

async function upgraded(asked: Asked): Promise<void> {
  const inForce = async (): Promise<string> => (await asked.json<{ version: string }>(OF_MACHINE, "status")).version;
  await asked.ran("femtoclaw upgrade /brought/next/femtoclaw");
  assert.notEqual(await inForce(), VERSION);
  assert.equal(await asked.property(OF_MACHINE, "ActiveState"), "active");
  await asked.ran("femtoclaw rollback");
  assert.equal(await inForce(), VERSION);
  await asked.ran("systemctl stop femtoclaw");
}

async function ofUser(asked: Asked): Promise<void> {
  const { as, configuration: own } = OF_ALICE;
  await asked.ran("useradd -m alice && loginctl enable-linger alice");
  await asked.until(`[ -S /run/user/$(id -u alice)/bus ]`);
  await asked.ran(`${as} ${BROUGHT} install && rm -r /home/alice/.config/femtoclaw/policy
    printf %s ${quoted(LIMITS)} >>${own} && sed -i '/^\\[limits\\]/{x;s/^/x/;/^x$/{x;d};x}' ${own}
    sed -i ${quoted(`/^\\[allow.run\\]/a ${RUN.trim().replaceAll("\n", "\\n")}`)} ${own}`);
  await asked.start(OF_ALICE);
  await bound(asked, OF_ALICE);
}

/** Landlock of Debian 12 is too old for programs to be confined by it alone. */
async function without(asked: Asked, release: Release): Promise<void> {
  const { systemctl } = OF_ALICE;
  await asked.ran(`${systemctl} stop femtoclaw && sysctl -qw kernel.unprivileged_userns_clone=0`);
  try {
    if (release === "bookworm") {
      await asked.failed(`${systemctl} start femtoclaw`);
      const log = "journalctl _SYSTEMD_USER_UNIT=femtoclaw.service -o cat --no-pager";
      assert.match(await asked.ran(log), /FEMTO_SANDBOX_UNAVAILABLE/);
      return;
    }
    await asked.start(OF_ALICE);
    const { result } = await asked.exec(OF_ALICE, "echo", "confined");
    assert.deepEqual([result.stdout, result.sandbox], ["confined\n", "landlock"]);
    const memory = await asked.exec(OF_ALICE, "perl", "-e", MEMORY);
    assert.deepEqual(memory.result.exceeded, ["memory_bytes"]);
  } finally {
    await asked.ran(`${systemctl} stop femtoclaw; sysctl -qw kernel.unprivileged_userns_clone=1`);
  }
}

async function off(asked: Asked, machine: Machine): Promise<void> {
  const interrupted = async (): Promise<number> =>
    (await asked.json<{ counters: { interrupted: number } }>(OF_MACHINE, "status")).counters.interrupted;
  await asked.ran("systemctl enable -q --now femtoclaw");
  const before = await interrupted();
  await asked.ran(`${sleeping(OF_MACHINE)} & ${until("pgrep -x sleep")}`);
  machine.guest = await machine.again();
  await asked.until("systemctl is-active -q femtoclaw");
  const last = await asked.ran("journalctl -b -1 -u femtoclaw -o cat --no-pager -n 12");
  assert.match(last, /"to":"shuttingDown"/);
  // What ran was ended in order, and its outcome is on the disk.
  assert.equal(await interrupted(), before);
  await asked.ran(`${OF_MACHINE.femtoclaw} audit verify`);
}
