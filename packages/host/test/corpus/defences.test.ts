/** `npm run defences` takes out what it names, so each of its texts has to be what the source says now. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { DEFENCES } from "./defences/defences.ts";

const ROOT = resolve(import.meta.dirname, "../../../..");

it.each(DEFENCES)("the defence '$name' stands once in its source", ({ file, from }) => {
  expect(readFileSync(join(ROOT, file), "utf8").split(from)).toHaveLength(2);
});
