/**
 * The client of HTTP, as a module that is imported later. Undici is written for `require`, and of such a package an import
 * that is a chunk of its own in the executable has a default and no names.
 */
export { connect as tlsConnect } from "node:tls";
export { Client } from "undici";
