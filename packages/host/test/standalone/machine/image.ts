/**
 * The disk that the emulated machine starts from: a small Debian with systemd, its own kernel and bubblewrap. It is made
 * once for each release of Debian and kept in the user's cache.
 */
import { execFile } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What `npm run machine` needs of the system that it runs on. */
export const PACKAGES = "qemu-system-x86 mmdebstrap e2fsprogs";
/** Releases that a machine can be made of; the first has no Landlock that is new enough, the second has. */
export const RELEASES = ["bookworm", "trixie"] as const;
export type Release = (typeof RELEASES)[number];

/** What is installed beside the essential packages. */
const INCLUDED = [
  ...["linux-image-cloud-amd64", "systemd", "systemd-sysv", "dbus", "libpam-systemd", "dbus-user-session"],
  ...["bubblewrap", "libatomic1", "libstdc++6", "util-linux", "procps", "apparmor", "perl", "python3-minimal", "git"],
];
/** An image that was made otherwise is another one. */
const FORM = 1;
const MIRROR = "http://deb.debian.org/debian";
const IMAGE_BYTES = 3 * 1024 ** 3;

export interface Image {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** Answers what it is asked on a port of the machine: one line with a script, one line with how it ended. */
const ANSWERING = `#!/bin/bash
exec 3<>/dev/virtio-ports/femtoclaw || exit 1
while read -r number text <&3; do
  base64 -d <<<"$text" >/run/asked
  bash /run/asked >/run/said 2>/run/erred </dev/null 3>&-
  printf '%s %s %s- %s-\\n' "$number" "$?" "$(base64 -w0 /run/said)" "$(base64 -w0 /run/erred)" >&3
done
`;
const ANSWERING_UNIT = `[Unit]
DefaultDependencies=no
After=basic.target
[Service]
ExecStart=/usr/local/sbin/answering
KillMode=process
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
`;

export async function imageOf(release: Release): Promise<Image> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "femtoclaw-machine");
  const made = join(folder, `${release}-${FORM}`);
  if (!existsSync(made)) await make(release, made);
  return { disk: join(made, "disk"), kernel: join(made, "kernel"), initrd: join(made, "initrd") };
}

async function make(release: Release, made: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error("the image is made once, by root: its files belong to many users");
  const work = `${made}.making`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const root = join(work, "root");
  const options = ["--variant=minbase", "--mode=root", `--include=${INCLUDED.join(",")}`];
  await run("mmdebstrap", [...options, release, root, MIRROR], { maxBuffer: 64 * 1024 ** 2 });
  complete(root);
  for (const [name, beginning] of [
    ["kernel", "vmlinuz-"],
    ["initrd", "initrd.img-"],
  ] as const) {
    const found = readdirSync(join(root, "boot")).find((file) => file.startsWith(beginning));
    if (found === undefined) throw new Error(`no ${name} was installed`);
    copyFileSync(join(root, "boot", found), join(work, name));
  }
  await diskOf(root, join(work, "disk"), IMAGE_BYTES);
  rmSync(root, { recursive: true });
  renameSync(work, made);
}

function complete(root: string): void {
  const put = (path: string, text: string, mode = 0o644): void => {
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  put("usr/local/sbin/answering", ANSWERING, 0o755);
  put("etc/systemd/system/answering.service", ANSWERING_UNIT);
  mkdirSync(join(root, "etc/systemd/system/multi-user.target.wants"), { recursive: true });
  symlinkSync("../answering.service", join(root, "etc/systemd/system/multi-user.target.wants/answering.service"));
  put("etc/fstab", "LABEL=brought /brought ext4 ro 0 0\n");
  mkdirSync(join(root, "brought"));
  put("etc/hostname", "femtoclaw-machine\n");
  // A journal that stays over a start shows what was said before it.
  mkdirSync(join(root, "var/log/journal"), { recursive: true });
}

/** A file system of what lies in a folder. */
export async function diskOf(folder: string, disk: string, bytes: number, label = "root"): Promise<void> {
  await run("mkfs.ext4", ["-q", "-F", "-L", label, "-d", folder, disk, `${Math.ceil(bytes / 1024)}k`]);
}
