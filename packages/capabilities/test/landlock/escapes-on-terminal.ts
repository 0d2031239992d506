/** Tries every case of the corpus of escapes on a terminal, as a process of an ordinary user; see `run-escapes.ts`. */
import type { Rung } from "../../../sandbox/src/probing/rung.ts";
import { runEscapes } from "../../../sandbox/test/escapes/run-escapes.ts";
import { Screen } from "./screen.ts";

const escapes = await runEscapes(process.argv[2] as Rung["name"], async (place, words) => {
  const screen = await Screen.open(place, words);
  return (await screen.rest()).shown;
});
process.stdout.write(JSON.stringify(escapes));
process.exit();
