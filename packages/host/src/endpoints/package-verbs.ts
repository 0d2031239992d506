/** What an operator may ask about capabilities that are packages: their files, and which of them are accepted. */
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, refuseUnknown } from "./request-fields.ts";
import { pinsOf } from "./upstream-verbs.ts";
import type { OperatorHandlers } from "./verb-handlers.ts";

export function packageVerbs(
  runtime: Pick<Runtime, "packages">,
  by: () => string,
): OperatorHandlers<`capabilities.${"packages" | "accept" | "reset"}`> {
  return {
    "capabilities.packages": async (fields) => {
      refuseUnknown(fields);
      return await runtime.packages.list();
    },
    "capabilities.accept": async ({ name, files, ...rest }) => {
      refuseUnknown(rest);
      if (typeof name !== "string") throw invalid("`name` must be a string");
      await runtime.packages.accept(name, pinsOf(files, "files"), by());
      return null;
    },
    "capabilities.reset": async ({ name, ...rest }) => {
      refuseUnknown(rest);
      if (typeof name !== "string") throw invalid("`name` must be a string");
      await runtime.packages.reset(name, by());
      return null;
    },
  };
}
