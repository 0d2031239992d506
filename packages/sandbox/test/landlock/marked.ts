/** Processes of children, which are known by a mark among their words. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Processes that have the mark among their words. */
export function marked(mark: string): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(mark) ? [Number(pid)] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

export async function untilMarked(mark: string, atLeast = 2): Promise<void> {
  while (marked(mark).length < atLeast) await pause(20);
}

export const statusOf = (pid: number): string => readFileSync(`/proc/${pid}/status`, "utf8");
const parentOf = (pid: number): number => Number(/^PPid:\s+(\d+)$/m.exec(statusOf(pid))?.[1]);

/** The shell that leads the group of the child with that mark, and what made its namespaces, where it has such. */
export function aboutMarked(mark: string): { readonly guard: number; readonly maker: number | null } {
  const above = [marked(mark)[0] ?? 0];
  const isGuard = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("femto_begin");
  while (!isGuard(above[0] ?? 0)) above.unshift(parentOf(above[0] ?? 0));
  const [guard = 0, maker = 0] = above;
  return { guard, maker: readFileSync(`/proc/${maker}/comm`, "utf8") === "unshare\n" ? maker : null };
}

/** Processes of the child with that mark that are none of its program: its guard, and what that started but the program. */
export function countBeside(mark: string): number {
  const all = [aboutMarked(mark).guard];
  for (const pid of all) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    all.push(
      ...children
        .filter(Boolean)
        .map(Number)
        .filter((child) => !marked(mark).includes(child)),
    );
  }
  return all.length;
}

/** None, as soon as that is so; those that are there after a long time. */
export async function leftOf(mark: string): Promise<number> {
  for (let tries = 600; tries > 0 && marked(mark).length > 0; tries -= 1) await pause(50);
  return marked(mark).length;
}
