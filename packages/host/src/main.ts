/** Entry point of the `femtoclaw` command. */
import { runCommand } from "./run-command.ts";

await runCommand();
