/** Entry point of the `femtoclaw` command. */
import { runCommand } from "./program/run-command.ts";

await runCommand();
