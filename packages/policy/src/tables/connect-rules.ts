/**
 * Entries of `[sandbox].connect`, and the floor below them, as rules: to which hosts a program may connect while it
 * runs.
 */
import {
  type Authority,
  CONNECT_ACTION,
  type ConnectGrant,
  DEFAULT_PORTS,
  type FetchGrant,
  fetchText,
  printable,
} from "@femtoclaw/protocol";
import type { PolicyAction } from "../schema.ts";
import { baseName } from "./canonical-path.ts";
import { literal } from "./cedar-text.ts";
import { addressFloor, hostConditions, isAddress, namesPort } from "./fetch-rules.ts";
import { type CompiledRule, numbered, rule } from "./table-rule.ts";

export const connectActions = (actions: readonly PolicyAction[]): string[] =>
  actions.filter(({ name }) => name === CONNECT_ACTION).map(({ name }) => name);

/** One permit for each entry, numbered per program in the order of the list, and the floor that goes with them. */
export function connectRules({ connect = [] }: Authority, all: readonly PolicyAction[]): CompiledRule[] {
  const actions = connectActions(all);
  const programOf = ({ program }: ConnectGrant): string => baseName(program);
  const permits = numbered(connect, programOf).flatMap(({ entry: grant, key, number }) => {
    const port = grant.port === null ? ` on port ${DEFAULT_PORTS.https}` : "";
    return rule(
      { effect: "permit", actions, clause: { kind: "when", condition: connection(grant) } },
      {
        id: `toml/sandbox.connect.${key}/${number}`,
        source: grant.source,
        reason: `${printable(grant.program)} may connect to ${printable(fetchText(grant))}${port} while it runs`,
      },
    );
  });
  const named = connect.filter(namesPort);
  const exceptions = {
    listed: connect.map((grant) => `(${connection(grant)})`),
    named: named.map((grant) => `(${connection(grant)})`),
    addresses: named.filter(isAddress).map((grant) => `(${connection(grant)})`),
  };
  const about = { id: "connect/", table: "[sandbox].connect of the program", entry: "the program" };
  return [...addressFloor(actions, exceptions, about), ...permits];
}

function connection(grant: ConnectGrant): string {
  const program = `context.program == ${literal(grant.program)} && context.real_path == ${literal(grant.realPath)}`;
  return [program, ...tunnelHosts(grant)].join(" && ");
}

/** The conditions under which an entry covers a connection. An entry without a port covers the https port. */
export function tunnelHosts(grant: FetchGrant): string[] {
  return [...hostConditions(grant), `context.port == ${grant.port ?? DEFAULT_PORTS.https}`];
}
