/**
 * Resolves a URL of a call into facts: scheme, host, port, and the only addresses that are dialled. A URL that two
 * parsers could read differently is refused before anything is looked up.
 */
import {
  type Authority,
  canonicalHost,
  DEFAULT_PORTS,
  type DeclaredHost,
  type FetchTarget,
  type HostQuestion,
  isForbiddenBy,
  isPermittedBy,
  LIMITS,
  portNumber,
  printable,
} from "@femtoclaw/protocol";
import type { JsonObject } from "../capability.ts";
import { textAt, valueAt } from "./arguments.ts";
import type { BoundHost } from "./bound-arguments.ts";
import type { HostNames } from "./host-names.ts";
import { isThisMachine, leastPublic } from "./network-of.ts";
import { Refusal } from "./refusal.ts";
import { type SecretLookUp, secretReferences } from "./stored-secrets.ts";

export interface HostRequest {
  readonly declared: DeclaredHost;
  readonly args: JsonObject;
  readonly authority: Authority;
  readonly names: HostNames;
  readonly secrets: SecretLookUp;
  readonly bytes: number;
  readonly hop: number;
}

export interface ResolvedHost {
  readonly question: HostQuestion;
  readonly bound: BoundHost;
}

export async function resolveHost(request: HostRequest): Promise<ResolvedHost> {
  const { declared, args, authority, names, bytes, hop } = request;
  const url = plainUrl(textAt(args, declared.pointer));
  const { scheme, host, port } = url;
  const method = declared.method === undefined ? undefined : valueAt(args, declared.method);
  const table = declared.headers === undefined ? {} : (valueAt(args, declared.headers) ?? {});
  const headers = headerNames(table);
  const addresses = url.isName ? await nameAddresses(url, authority, names) : [host.replace(/^\[|\]$/g, "")];
  const network = leastPublic(addresses);
  const secrets = secretsOf(table, url, addresses, request.secrets);
  return {
    bound: { kind: "host", scheme, host, port, target: url.target, addresses, secrets },
    question: {
      kind: "host",
      scheme,
      host,
      port,
      addresses: [...addresses].sort(),
      network,
      method: typeof method === "string" ? method : "GET",
      path: url.path,
      headers,
      injects: [...secrets.keys()].sort(),
      bytes,
      hop,
    },
  };
}

/**
 * INVARIANT: a name is looked up only if an entry may permit it. Otherwise even a denied call would tell anyone who
 * answers for the name what the agent wrote into it.
 */
async function nameAddresses(
  target: FetchTarget,
  { allow, ask, deny }: Authority,
  names: HostNames,
): Promise<readonly string[]> {
  const listed = [...(allow.fetch ?? []), ...(ask.fetch ?? [])].some((grant) => isPermittedBy(grant, target));
  const denied = (deny.fetch ?? []).some((grant) => isForbiddenBy(grant, target));
  return listed && !denied ? await names.addressesOf(target.host) : [];
}

export interface PlainUrl extends FetchTarget {
  readonly isName: boolean;
  /** The path without the query, for policy. */
  readonly path: string;
  /** Path and query, as they are sent. */
  readonly target: string;
}

const URL_PARTS = /^(?<scheme>https?):\/\/(?<authority>[^/?#]*)(?<rest>[/?#].*)?$/i;
/** Parsers disagree on all other characters: some drop or trim them, or take them for a slash. */
const URL_TEXT = /^[\x21-\x5b\x5d-\x7e]+$/;

/** Throws a refusal that says what is wrong with the URL. */
export function plainUrl(text: string): PlainUrl {
  if (text.length > LIMITS.urlChars) throw new Refusal(`the URL has more than ${LIMITS.urlChars} characters`);
  if (!URL_TEXT.test(text)) {
    throw new Refusal(
      "the URL contains a space, a backslash, or a character that is not printable ASCII; percent-encode it",
    );
  }
  const parts = URL_PARTS.exec(text)?.groups;
  if (parts === undefined) throw new Refusal(`${shown(text)} is not a URL that begins with http:// or https://`);
  const authority = parts["authority"] ?? "";
  if (authority.includes("@")) throw new Refusal("a URL must not contain a user or password");
  const { host: written = "", port: portText } =
    /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>.*))?$/.exec(authority)?.groups ?? {};
  const spelt = canonicalHost(written);
  if (!spelt.ok) throw new Refusal(`the host ${shown(written)} ${spelt.problem}`);
  const scheme = parts["scheme"]?.toLowerCase() === "https" ? "https" : "http";
  const port = portText === undefined ? DEFAULT_PORTS[scheme] : portNumber(portText);
  if (port === null) throw new Refusal(`${shown(portText ?? "")} is no port`);
  const parsed = URL.parse(`${scheme}://${spelt.host}:${port}${parts["rest"] ?? ""}`);
  // INVARIANT: the host in the question is the one that every other parser reads.
  if (parsed === null || parsed.hostname !== spelt.host) throw new Refusal(`${shown(text)} is not a plain URL`);
  const { pathname, search } = parsed;
  return {
    scheme,
    host: spelt.host,
    port,
    isName: spelt.kind === "name",
    path: pathname,
    target: `${pathname}${search}`,
  };
}

/** Headers that belong to the connection, could redirect the request, or would carry state from call to call. */
const RESERVED_HEADERS =
  /^(?:host|connection|keep-alive|transfer-encoding|content-length|te|trailer|upgrade|expect|http2-settings|accept-encoding|cookie2?|proxy-.*)$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

export function headerNames(table: unknown): string[] {
  const names = new Set<string>();
  for (const [written, value] of Object.entries(Object(table) as JsonObject)) {
    const name = written.toLowerCase();
    if (!HEADER_NAME.test(name)) throw new Refusal(`${shown(written)} is no name of a header`);
    if (RESERVED_HEADERS.test(name)) throw new Refusal(`the header ${shown(name)} is not for a call to set`);
    if (names.has(name)) throw new Refusal(`the header ${shown(name)} is there twice`);
    // INVARIANT: a line break in a value would start a header or a request of its own.
    if (typeof value !== "string" || !HEADER_VALUE.test(value)) {
      throw new Refusal(`the header ${shown(name)} has a value that no header can have`);
    }
    names.add(name);
  }
  return [...names].sort();
}

/**
 * INVARIANT: I10: a secret goes only to the host that its operator named, and only encrypted or within this machine. A
 * reference from another host's request is refused before the decision, so no rule can get this wrong.
 */
export function secretsOf(
  table: unknown,
  url: PlainUrl,
  addresses: readonly string[],
  lookUp: SecretLookUp,
): ReadonlyMap<string, string> {
  const secrets = new Map<string, string>();
  for (const value of Object.values(Object(table) as JsonObject)) {
    const names = secretReferences(String(value));
    if (names === null) throw new Refusal("a header refers to a secret by a name that no secret can have");
    for (const name of names) {
      const found = lookUp(name, url);
      if (found === null) {
        const place = `${url.host}:${url.port}`;
        const remedy = `an operator stores one with \`femtoclaw secrets add ${name} --for ${place}\``;
        throw new Refusal(`no secret ${shown(name)} is stored for ${place}; ${remedy}`);
      }
      secrets.set(name, found);
    }
  }
  if (secrets.size > 0 && url.scheme === "http" && !isThisMachine(addresses)) {
    throw new Refusal("a secret is sent over https, or over http within this machine");
  }
  return secrets;
}

const shown = (text: string): string => `\`${printable(text, 100)}\``;
