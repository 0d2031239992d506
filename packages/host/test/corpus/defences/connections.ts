/** The defences around what programs connect to, each with the change that takes it away. */
import type { Row } from "./defences.ts";

export const CONNECTIONS: readonly Row[] = [
  [
    "one program's hosts are no other's",
    `packages/policy/src/tables/connect-rules.ts`,
    `\`context.program == \${literal(grant.program)} && context.real_path == \${literal(grant.realPath)}\``,
    '"true"',
    "a program connects",
  ],
  [
    "a program reaches private addresses only where they were named",
    `packages/policy/src/tables/connect-rules.ts`,
    "const named = connect.filter(namesPort);",
    "const named = connect;",
    "a program connects",
  ],
  [
    "a program reaches special addresses only where they were named",
    `packages/policy/src/tables/connect-rules.ts`,
    "addresses: named.filter(isAddress).map(",
    "addresses: named.map(",
    "a program connects",
  ],
  [
    "who may connect to nothing has no relay",
    "packages/runtime/src/gate/effects/effect.ts",
    "const mayConnect = connectingPrograms(execution, authority).length > 0;",
    "const mayConnect = execution.intent !== null;",
    "a program connects",
  ],
  [
    "a proxy of programs opens tunnels alone",
    `packages/capabilities/src/network/egress/request-head.ts`,
    'if (method !== "CONNECT") {',
    'if (method === "CONNECTED") {',
    "a program connects",
  ],
  [
    "a tunnel has no body",
    `packages/capabilities/src/network/egress/request-head.ts`,
    "const OF_BODY = /^(?:content-length|",
    "const OF_BODY = /^(?:content-size|",
    "a program connects",
  ],
];
