/** Types for the used part of the package, which has none of its own. */
declare module "node-pty/requireBinary.js" {
  /** Loads native code by the name of its file. */
  export function requireBinary(file: string): unknown;
}
