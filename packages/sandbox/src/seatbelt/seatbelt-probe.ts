/**
 * What a child under Seatbelt tries, so that a promise that does not hold on this Mac is discovered before any call.
 */
import { dirname } from "node:path";
import type { Authority } from "@femtoclaw/protocol";
import { type Mount, visibilityOf } from "../views/mounts.ts";
import { MACOS_SECRETS, SECOND_NAME } from "./macos-system.ts";

/** Prints a line for each thing that it could do and must not, and a last line when it has tried them all. */
const SCRIPT = `
use strict;
use Socket;
use POSIX ();
my ($host, @folders) = @ARGV;
for my $descriptor (3 .. 255) {
  open(my $same, ">&", $descriptor) or next;
  print "has descriptor $descriptor\\n";
}
my $there = pack_sockaddr_in(9, INADDR_LOOPBACK);
sub refused { return $!{EPERM} || $!{EACCES}; }
sub apart { my ($try) = @_; my $pid = fork() // return 1; POSIX::_exit($try->() ? 1 : 0) if $pid == 0; waitpid($pid, 0); return $? >> 8; }
print "signals\\n" if kill 0, $host;
if (socket(my $stream, PF_INET, SOCK_STREAM, 0)) { print "connects\\n" if connect($stream, $there) || !refused(); }
if (socket(my $server, PF_INET, SOCK_STREAM, 0)) { print "listens\\n" if bind($server, pack_sockaddr_in(0, INADDR_LOOPBACK)); }
if (socket(my $packets, PF_INET, SOCK_DGRAM, 0)) { print "sends\\n" if defined send($packets, "", 0, $there); }
if (socket(my $local, PF_UNIX, SOCK_STREAM, 0)) {
  print "reaches services\\n" if connect($local, pack_sockaddr_un("/var/run/mDNSResponder"));
}
print "leaves its session\\n" if apart(sub { return POSIX::setsid() != -1; });
print "leaves its group\\n" if apart(sub { return setpgrp(0, 0); });
for my $folder (@folders) {
  open(my $file, ">>", "$folder/.femtoclaw-probe") or next;
  unlink "$folder/.femtoclaw-probe";
  print "writes to $folder\\n";
}
print "tried\\n";
`;

/** All that a confined child may print. */
export const TRIED = "tried\n";

/** Arguments of Perl, which is a part of macOS. */
export function seatbeltTrial(mounts: readonly Mount[], { workspace, floor }: Authority, host: number): string[] {
  const folders = ["/", "/private/tmp", "/tmp", "/Users/Shared", dirname(workspace), workspace, ...floor];
  const kept = folders.filter((folder) => visibilityOf(mounts, folder) !== "readWrite");
  return ["-e", SCRIPT, String(host), ...new Set(kept)];
}

/** Paths that must be hidden, each under both of its names. */
export function secretsOfMac(paths: readonly string[]): string[] {
  const all = [...MACOS_SECRETS, ...paths];
  return [...all, ...all.map((path) => `${SECOND_NAME}${path}`)];
}
