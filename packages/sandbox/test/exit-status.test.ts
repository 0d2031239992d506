import { expect, it } from "vitest";
import { exitCodeIn, faultIn } from "../src/children/exit-status.ts";

it.each([
  ["0", 0],
  ["137", 137],
  // As process 1 has them reported where a program speaks in its place.
  ["-17", 239],
  ["2147483647", 255],
])("whatever number is reported, %s for one, a program has run and ended with a code", (reported, code) => {
  expect(exitCodeIn(`{ "child-pid": 7 }\n{ "exit-code": ${reported} }\n`)).toBe(code);
});

it("there is no code where none was reported, or no program was started", () => {
  expect(exitCodeIn('{ "child-pid": 7 }\n')).toBe(null);
  expect(exitCodeIn('{ "exit-code": 1 }\n')).toBe(null);
});

it.each([
  ['{"fault":"it is \\"gone\\""}\n{"exit-code": 1}\n', 'it is "gone"'],
  // What has not come to its end yet, and what no launcher writes.
  ['{"fault":"it is', null],
  ['{"fault":"a\\x"}\n', "it says why in no words that can be read"],
  ['{"fault":7}\n', null],
])("of %j the fault is %j", (status, fault) => {
  expect(faultIn(status)).toBe(fault);
});
