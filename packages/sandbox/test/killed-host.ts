/**
 * A host that starts programs without end, says so, and waits: started by a test, which kills it. Its arguments are the
 * seconds that each program sleeps, and how many run at once.
 */
import { MARKED } from "../src/children/orphan-watch.ts";
import { playground, run } from "./playground.ts";

const [seconds = "", atOnce] = process.argv.slice(2);
using place = playground();
const running = Array.from({ length: Number(atOnce) }, () => run(place, ["sleep", seconds], { timeoutMs: 600_000 }));
process.stdout.write(`${MARKED.at(-1)}\n`);
await Promise.all(running);
