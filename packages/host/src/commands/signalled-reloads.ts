/** Reloads a policy for signals. Signals come faster than a policy can be loaded, and say no more than that it changed. */

/**
 * Returns what to call for each signal. One reload is under way at a time. All signals that arrive meanwhile ask for one
 * more together, which begins after them and so sees whatever they announced.
 */
export function signalledReloads(reload: () => Promise<void>): () => void {
  let isAsked = false;
  let isReloading = false;
  const reloadAsked = async (): Promise<void> => {
    isReloading = true;
    while (isAsked) {
      isAsked = false;
      await reload();
    }
    isReloading = false;
  };
  return () => {
    isAsked = true;
    if (!isReloading) void reloadAsked();
  };
}
