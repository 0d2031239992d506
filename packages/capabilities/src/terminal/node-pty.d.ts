/** The part of the package that is used, which it has no types for. */
declare module "node-pty/requireBinary.js" {
  /** Loads native code by the name of its file. */
  export function requireBinary(file: string): unknown;
}
