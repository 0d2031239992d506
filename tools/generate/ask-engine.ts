/**
 * Makes the policy engine do what it does in a start: load a schema and rules, and decide once of each kind.
 * `generate-engine-hints.ts` runs this as a separate process and reads from its output which functions V8 compiled.
 */
import { setFlagsFromString } from "node:v8";
import { builtinCapabilities } from "../../packages/capabilities/src/builtin.ts";
import { compilePolicy } from "../../packages/policy/src/compile.ts";
import { askKinds, candidateOf, preparse } from "../../packages/policy/src/engine/activation.ts";
import { freshGlue, installedEngine } from "../../packages/policy/src/engine/engine-files.ts";
import type { Authority, ProgramUse } from "../../packages/protocol/src/index.ts";

declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

const source = "femtoclaw.toml:1:1";
const paths = (...list: string[]) => list.map((path) => ({ path, source }));
const program = (name: string, use: ProgramUse) => ({
  path: `/usr/bin/${name}`,
  realPath: `/usr/bin/${name}`,
  use,
  source,
});
const AUTHORITY: Authority = {
  workspace: "/workspace",
  searchPath: ["/usr/bin"],
  allow: {
    read: paths("/workspace", "/shared"),
    write: paths("/workspace"),
    run: [
      program("cat", { kind: "any", unsafe: false }),
      program("git", { kind: "word", word: "status", flags: ["--short"] }),
    ],
  },
  ask: { read: [], write: paths("/asked"), run: [program("npm", { kind: "word", word: "test", flags: [] })] },
  deny: { read: paths("/workspace/.env"), write: [], run: [] },
  floor: ["/state"],
  childRead: [],
  environment: {},
  environmentNames: [],
};

// Only now, because Node.js runs other WebAssembly while it loads the sources.
setFlagsFromString("--trace-wasm-compilation-times");
const glue = await freshGlue();
glue.initSync({ module: await WebAssembly.compile(await installedEngine()) });
const manifests = builtinCapabilities.map(({ manifest }) => manifest);
const candidate = candidateOf(compilePolicy({ authority: AUTHORITY, manifests }), "A");
glue.getCedarVersion();
preparse(glue, candidate);
askKinds(glue, candidate);
