/** Advice for machines on which the sandbox does not work, by the error message seen there. */

/** Null for a message that nobody has seen yet. */
export function knownFix(reason: string): string | null {
  if (/RTM_NEWADDR|setting up uid map|No permissions to create (a )?new namespace/.test(reason)) {
    return "Allow bwrap to create user namespaces: with an AppArmor profile /etc/apparmor.d/bwrap that contains `userns,`, or with sysctl kernel.unprivileged_userns_clone=1.";
  }
  if (/max_\*_namespaces|unshare failed: No space left on device/.test(reason)) {
    return "Allow users to create namespaces: `sysctl user` shows the limits user.max_*_namespaces, and none of them may be 0.";
  }
  if (/mount proc/.test(reason)) {
    return "Remove the mounts over /proc: ProtectKernelTunables= or ProtectProc= of the service, or the container's masked paths.";
  }
  if (/Function not implemented/.test(reason)) {
    return "Set RestrictSUIDSGID=no in a drop-in of the service. With this setting on, the kernel does not support the path lookups that the sandbox needs.";
  }
  if (/disable-userns|json-status-fd|Unknown option/.test(reason)) return "Install bubblewrap 0.8 or newer.";
  if (/Can't chdir to .*Permission denied/.test(reason)) {
    return "Ask as the user who runs the host: in the sandbox root has no more rights than anybody, and that folder is somebody else's.";
  }
  return null;
}
