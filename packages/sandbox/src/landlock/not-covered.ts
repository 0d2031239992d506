/** What a child under Landlock alone does not have, or has where one in bubblewrap has not; for people to read. */
export const NOT_COVERED: readonly string[] = [
  "refused: terminals, agents, capabilities of others, and programs under [sandbox].connect",
  "refused to programs: sockets of any kind, changing modes, owners and times of files, job control, watching files",
  "absent: /tmp, /dev/shm and /proc; what a program may write is what is granted",
  "a folder that holds a denied folder cannot be listed, and nothing is created beside what is kept read-only",
  "visible: whether any path exists, its size, owner and times, where a link leads, and how many processes run",
  "where no control group counts processes, those of the host's user that are begun meanwhile count as the program's",
];
