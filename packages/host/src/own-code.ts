/** Where the code of this process comes from. */
import type { OwnCode } from "./integrity/own-code.ts";

export const OWN_CODE: OwnCode = { folder: import.meta.dirname };
