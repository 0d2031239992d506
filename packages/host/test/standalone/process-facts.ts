/** What the kernel tells of a process. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** How much of a file a process has in memory, in KiB. */
export function fileKib(pid: number, file: string): number {
  const mappings = readFileSync(`/proc/${pid}/smaps`, "latin1").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const own = mappings.filter((told) => told.split("\n", 1)[0]?.endsWith(` ${file}`));
  return own.reduce((kib, told) => kib + Number(/^Rss: +(\d+) kB$/m.exec(told)?.[1] ?? Number.NaN), 0);
}

/** Ports at which a process listens. */
export function listeners(pid: number): string[] {
  const lines = ["tcp", "tcp6"].flatMap((name) =>
    readFileSync(`/proc/${pid}/net/${name}`, "utf8").split("\n").slice(1),
  );
  const inodes = new Set(
    lines
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A")
      .map((fields) => fields[9]),
  );
  return descriptors(pid).filter((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1]));
}

function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
}
