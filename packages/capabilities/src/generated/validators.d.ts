// Generated from the built-in manifests by `npm run generate`. Do not edit.
import type { Validator } from "@femtoclaw/protocol";
/** Validators by the SHA-256 of their schema's JSON text. */
export declare const VALIDATORS: ReadonlyMap<string, Validator>;
