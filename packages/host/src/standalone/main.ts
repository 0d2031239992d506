/** Entry of the standalone executable. */
import { CAPABILITY_WORD, runCapability } from "@femtoclaw/capabilities/inside";
import { DOOR_WORD, door } from "@femtoclaw/sandbox/door";
import { LAUNCHER_WORD, launch } from "@femtoclaw/sandbox/landlock-launcher";
import { RELAY_WORD, relay } from "@femtoclaw/sandbox/relay";
import { leaveEnvironmentOfNode } from "./environment.ts";

leaveEnvironmentOfNode();
// Inside a sandbox it hands on what a program wants to connect to, and starts for that without all the rest.
if (process.argv[2] === RELAY_WORD) relay(process.argv.slice(3));
// In front of a program it confines itself as that one is to be confined, and becomes it.
else if (process.argv[2] === LAUNCHER_WORD) launch();
// Inside a sandbox, too, it runs a capability of others, for one call.
else if (process.argv[2] === CAPABILITY_WORD) void runCapability();
else if (process.argv[2] === DOOR_WORD) door();
else void import("../run-command.ts").then(({ runCommand }) => runCommand());
