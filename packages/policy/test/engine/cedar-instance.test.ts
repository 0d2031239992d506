import { cachedDataVersionTag, setFlagsFromString } from "node:v8";
import { expect, test } from "vitest";
import { openCedar } from "../../src/engine/cedar-instance.ts";

test("leaves V8's flags as they were, because code that was compiled before is good for those alone", async () => {
  const before = cachedDataVersionTag();
  await openCedar();
  expect(cachedDataVersionTag()).toBe(before);
  // By this very flag it would be another one.
  setFlagsFromString("--wasm-tiering-budget=1");
  expect(cachedDataVersionTag()).not.toBe(before);
  setFlagsFromString("--wasm-tiering-budget=13000000");
});
