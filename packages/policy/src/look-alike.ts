/**
 * The engine warns of strings that a reader could mistake for others, which real file names often are.
 * Compiled rules are escaped to ASCII, where nothing looks like anything else; all other warnings are errors.
 */
export const LOOK_ALIKE =
  /(?:contains mixed scripts|contains BIDI control characters|falls outside of the General Security Profile for Identifiers)$/;
