/** What entries of the tables mean, in a form in which they can be compared wherever they stand. */
import type { GrantProposal } from "@femtoclaw/policy";
import { type Authority, fetchText, type GrantTable, mcpGrantText } from "@femtoclaw/protocol";

/** The tables whose entries can be proposed and removed. */
export const ENTRY_TABLES = ["read", "write", "run", "fetch", "tools"] as const;
export type EntryTable = (typeof ENTRY_TABLES)[number];

export interface Entry {
  readonly table: EntryTable;
  readonly meaning: string;
  /** `femtoclaw.toml:12:9` */
  readonly source: string;
}

export function entriesOf(granted: GrantTable): Entry[] {
  return ENTRY_TABLES.flatMap((table) => entriesIn(granted, table));
}

function entriesIn(granted: GrantTable, table: EntryTable): Entry[] {
  switch (table) {
    case "read":
    case "write":
      return granted[table].map(({ path, source }) => ({ table, meaning: path, source }));
    case "run":
      return granted.run.map(({ path, realPath, use, source }) => ({
        table,
        meaning: JSON.stringify([path, realPath, use]),
        source,
      }));
    case "fetch":
      return (granted.fetch ?? []).map((pattern) => ({ table, meaning: fetchText(pattern), source: pattern.source }));
    case "tools":
      return (granted.tools ?? []).map((grant) => ({ table, meaning: mcpGrantText(grant), source: grant.source }));
  }
}

export function meaningOf(grant: GrantProposal): string {
  switch (grant.table) {
    case "read":
    case "write":
      return grant.path;
    case "run":
      return JSON.stringify([grant.program, grant.realPath, grant.use]);
    case "fetch":
      return fetchText({ hosts: "one", ...grant });
    case "connect":
      return connectionMeaning(grant.program, fetchText({ hosts: "one", ...grant }));
    case "tools":
      return mcpGrantText({ ...grant, source: "" });
    case "environment":
      return grant.name;
  }
}

/** What programs may connect to. Operators are never asked about connections. */
export function connectionsOf({ connect = [] }: Pick<Authority, "connect">): string[] {
  return connect.map((grant) => connectionMeaning(grant.program, fetchText(grant)));
}

const connectionMeaning = (program: string, host: string): string => JSON.stringify([program, host]);
