// @ts-check
/**
 * Compiles each script in the folder `code` of the working directory into the folder `compiled`; those that are named get all
 * their functions compiled. Plain JavaScript, because nothing but the scripts may be compiled here.
 */
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

const whole = new Set(process.argv.slice(2));
for (const name of readdirSync("code").sort()) {
  const code = readFileSync(`code/${name}`, "latin1");
  // The flag is back before anything is written, because V8 takes compiled code only under the flags that it was made with.
  setFlagsFromString(whole.has(name) ? "--no-lazy" : "--lazy");
  const script = new Script(code, { filename: `femtoclaw/${name}` });
  setFlagsFromString("--lazy");
  writeFileSync(`compiled/${name}`, script.createCachedData());
}
