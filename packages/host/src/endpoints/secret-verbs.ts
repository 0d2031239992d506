/** What an operator may ask about stored secrets. No answer holds a value. */
import type { Runtime } from "@femtoclaw/runtime";
import { invalid, refuseUnknown } from "./request-fields.ts";
import type { OperatorVerbs } from "./verb-handlers.ts";

export function secretVerbs(runtime: Pick<Runtime, "secrets">, by: () => string): OperatorVerbs<"secrets"> {
  return {
    "secrets.add": async ({ name, host, port, value, ...rest }) => {
      refuseUnknown(rest);
      if (typeof name !== "string" || typeof host !== "string" || typeof value !== "string") {
        throw invalid("`name`, `host` and `value` must be strings");
      }
      if (typeof port !== "number") throw invalid("`port` must be a number");
      await runtime.secrets.add({ name, host, port, value }, by());
      return null;
    },
    "secrets.list": (fields) => {
      refuseUnknown(fields);
      return runtime.secrets.list;
    },
    "secrets.remove": async ({ name, ...rest }) => {
      refuseUnknown(rest);
      if (typeof name !== "string") throw invalid("`name` must be a string");
      await runtime.secrets.remove(name, by());
      return null;
    },
  };
}
