/** LIMIT: seconds for a host to come up; a log of millions of records whose snapshot is lost needs some of them. */
export const HOST_START_S = 300;
