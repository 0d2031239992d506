// @ts-check
/**
 * Compiles each script in the folder `code` of the working directory into the folder `compiled`; of those that are
 * named on the command line all functions are compiled. This is plain JavaScript, because nothing else may be compiled
 * in this process.
 */
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

const whole = new Set(process.argv.slice(2));
for (const name of readdirSync("code").sort()) {
  const code = readFileSync(`code/${name}`, "latin1");
  // Reset the flag before writing, because V8 accepts compiled code only under the flags that it was made with.
  setFlagsFromString(whole.has(name) ? "--no-lazy" : "--lazy");
  const script = new Script(code, { filename: `femtoclaw/${name}` });
  setFlagsFromString("--lazy");
  writeFileSync(`compiled/${name}`, script.createCachedData());
}
