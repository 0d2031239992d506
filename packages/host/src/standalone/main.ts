/** Entry of the standalone executable. */
import { runCommand } from "../run-command.ts";
import { leaveEnvironmentOfNode } from "./environment.ts";

leaveEnvironmentOfNode();
void runCommand();
