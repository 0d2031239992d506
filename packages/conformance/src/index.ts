/**
 * Checks a deployment's conformance from outside: runs an executable in folders of its own, through starts, calls, a
 * crash, stops and breakage, and says of each clause of the deployment specification whether it holds.
 */
export { checkConformance, type JudgedClause } from "./conformance.ts";
