/** Entry of the standalone executable. */
import { RELAY_WORD, relay } from "@femtoclaw/sandbox";
import { runCommand } from "../run-command.ts";
import { leaveEnvironmentOfNode } from "./environment.ts";

leaveEnvironmentOfNode();
// Inside a sandbox, where nothing else of FemtoClaw is, it hands on what a program wants to connect to.
if (process.argv[2] === RELAY_WORD) relay(process.argv.slice(3));
else void runCommand();
