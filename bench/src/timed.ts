/** Elapsed time and processor time, of all threads of this process. */
export interface Timed {
  readonly elapsedMs: number;
  readonly cpuUs: number;
}

export function timedAtOnce(work: () => void): Timed {
  const end = begin();
  work();
  return end();
}

export async function timed(work: () => Promise<void>): Promise<Timed> {
  const end = begin();
  await work();
  return end();
}

function begin(): () => Timed {
  const cpu = process.cpuUsage();
  const began = performance.now();
  return () => {
    const elapsedMs = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    return { elapsedMs, cpuUs: user + system };
  };
}
