/** The version of this FemtoClaw; all its packages share it. */
export const VERSION = "0.20.0";
/** The record format that this version writes. */
export const RECORD_FORMAT = 1;
