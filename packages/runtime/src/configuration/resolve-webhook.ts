/**
 * Who is notified of questions to operators: an address, and where its secret lies. The secret itself is read only by
 * the code that signs with it.
 */
import type { Configuration } from "@femtoclaw/protocol";
import { canonicalPath, type PathBase } from "./canonical-path.ts";
import type { Places } from "./places.ts";

/** The table `[approvals.webhook]`, resolved. */
export interface WebhookSetting {
  readonly url: string;
  /** Where the secret lies with which messages are signed. */
  readonly key: { readonly file: string } | { readonly variable: string };
}

export function resolveWebhook(
  { approvals, sandbox }: Configuration,
  base: PathBase,
  places: Places,
): WebhookSetting | undefined {
  const written = approvals?.webhook;
  if (written === undefined) return undefined;
  const fault = (key: string, message: string): undefined => {
    places.fault(["approvals", "webhook", ...(key === "" ? [] : [key])], message);
  };
  const { url, key_file, key_env } = written;
  const address = URL.parse(url);
  if (address === null || address.hash !== "") return fault("url", "expected an address such as https://example.com/a");
  if (address.username !== "" || address.password !== "")
    return fault("url", "an address must not contain a user or password");
  // INVARIANT: I10: questions to operators cannot be read on the way.
  if (address.protocol !== "https:" && !isThisMachine(address.hostname))
    return fault(
      "url",
      "expected https; http is allowed only for addresses of this machine, such as http://127.0.0.1:8080",
    );
  if ((key_file === undefined) === (key_env === undefined))
    return fault("", "expected one of `key_file` and `key_env`, for the secret that messages are signed with");
  if (key_env !== undefined) {
    // INVARIANT: I10: programs get the variables of [sandbox].env.
    if ((sandbox?.env ?? []).includes(key_env)) return fault("key_env", "[sandbox].env would pass it to programs");
    return { url: address.href, key: { variable: key_env } };
  }
  const file = canonicalPath(key_file ?? "", base);
  if ("problem" in file) return fault("key_file", file.problem);
  places.followed(["approvals", "webhook", "key_file"], file.links);
  return { url: address.href, key: { file: file.path } };
}

/** Checks numeric addresses, and the one name that is reserved for this machine. */
export function isThisMachine(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
