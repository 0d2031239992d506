/** Entry point of the standalone executable. */
import { CAPABILITY_WORD, runCapability } from "@femtoclaw/capabilities/inside";
import { DOOR_WORD, door } from "@femtoclaw/sandbox/door";
import { LAUNCHER_WORD, launch } from "@femtoclaw/sandbox/landlock-launcher";
import { RELAY_WORD, relay } from "@femtoclaw/sandbox/relay";
import { leaveEnvironmentOfNode } from "./environment.ts";

leaveEnvironmentOfNode();
// Inside a sandbox: forwards the connections of a program. It starts without loading anything else.
if (process.argv[2] === RELAY_WORD) relay(process.argv.slice(3));
// Before a program: confines itself as the program is to be confined, and then becomes it.
else if (process.argv[2] === LAUNCHER_WORD) launch();
// Also inside a sandbox: runs an external capability for one call.
else if (process.argv[2] === CAPABILITY_WORD) void runCapability();
else if (process.argv[2] === DOOR_WORD) door();
else void import("../program/run-command.ts").then(({ runCommand }) => runCommand());
