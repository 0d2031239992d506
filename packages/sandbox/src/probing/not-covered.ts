/** What each rung denies a child, or lets it see, that bubblewrap does not; for people to read. */
import type { Rung } from "./rung.ts";

/** Under Landlock, with and without namespaces: both have the machine's file tree and the same filter. */
const BY_LANDLOCK = [
  "refused: agents, capabilities of others, and programs under [sandbox].connect",
  "refused to programs: sockets of any kind, changing modes, owners and times of files, watching files",
  "absent: /tmp, /dev/shm and /proc; what a program may write is what is granted",
  "a folder that holds a denied folder cannot be listed, and nothing is created beside what is kept read-only",
];

const NOT_COVERED: Readonly<Record<Rung["name"], readonly string[]>> = {
  bubblewrap: [],
  "landlock, namespaces": [
    ...BY_LANDLOCK,
    "refused to programs without a terminal: job control, which programs on terminals have",
    "visible: whether any path exists, its size, attributes and times, and where a link leads",
  ],
  landlock: [
    ...BY_LANDLOCK,
    "refused to all programs: job control; on a terminal, ^C and ^\\ end what runs, and ^Z does nothing",
    "visible: whether any path exists, its size, owner and times, where a link leads, and how many processes run",
    "where no control group counts processes, those of the host's user that are begun meanwhile count as the program's",
  ],
  seatbelt: [
    "unproven: made of what is known of macOS, and never run on a Mac before; what speaks for it is this trial alone",
    "refused: terminals, agents, capabilities of others, programs under [sandbox].connect, and every call on files",
    "refused to programs: any network, leaving their process group, posix_spawn, executing what a program wrote",
    "absent: /tmp; what a program may write is what is granted",
    "visible: the names in /, the names of accounts and groups, the processor and the version of macOS",
    "where the host's user begins other processes meanwhile, those count as the program's",
  ],
};

export function notCovered(by: Rung["name"]): readonly string[] {
  return NOT_COVERED[by];
}
