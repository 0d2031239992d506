/** What was said on real machines: by bubblewrap 0.8, 0.11 and 0.12, and by Landlock's launcher. */
import { expect, it } from "vitest";
import { knownFix } from "../src/probing/known-fix.ts";

it.each([
  ["bwrap: No permissions to create new namespace, likely because the kernel does not allow", /userns/],
  ["bwrap: No permissions to create a new namespace, likely because the kernel does not allow", /userns/],
  ["bwrap: setting up uid map: Permission denied", /userns/],
  [
    "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)",
    /sysctl/,
  ],
  ["unshare: unshare failed: No space left on device", /sysctl/],
  ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", /ProtectProc/],
  ["bwrap: Can't mkdir parents for /bin: Function not implemented", /RestrictSUIDSGID/],
  ["bwrap: Unknown option --disable-userns", /0\.8/],
  ["bwrap: Can't chdir to /var/lib/femtoclaw/workspace: Permission denied", /as the user who runs the host/],
])("%s", (said, fix) => {
  expect(knownFix(`bubblewrap did not start the program: ${said}`)).toMatch(fix);
});

it("knows nothing of what nobody has seen", () => expect(knownFix("bwrap: something else")).toBeNull());
