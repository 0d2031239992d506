/**
 * Which model a person at a terminal talks to, and where its key lies. The key itself is read only by the code that
 * talks to the model.
 */
import type { ChatTable, Configuration } from "@femtoclaw/protocol";
import { canonicalPath, type PathBase } from "./canonical-path.ts";
import type { Places } from "./places.ts";
import { isThisMachine } from "./resolve-webhook.ts";

/** The table `[chat]`, with the place of its key resolved. */
export interface ChatSetting extends Omit<ChatTable, "key_file" | "key_env"> {
  /** Absent if the provider needs none. */
  readonly key?: { readonly file: string } | { readonly variable: string };
}

export function resolveChat({ chat, sandbox }: Configuration, base: PathBase, places: Places): ChatSetting | undefined {
  if (chat === undefined) return undefined;
  const fault = (key: string, message: string): undefined => {
    places.fault(["chat", ...(key === "" ? [] : [key])], message);
  };
  const { key_file, key_env, ...setting } = chat;
  if (chat.base_url === undefined && chat.provider !== "anthropic") return fault("", "expected `base_url`");
  const address = chat.base_url === undefined ? null : URL.parse(chat.base_url);
  if (chat.base_url !== undefined && address === null)
    return fault("base_url", "expected an address such as http://127.0.0.1:11434/v1");
  if (address !== null && (address.username !== "" || address.password !== ""))
    return fault("base_url", "an address must not contain a user or password");
  if (key_file === undefined && key_env === undefined) return setting;
  if (key_file !== undefined && key_env !== undefined) return fault("", "expected one of `key_file` and `key_env`");
  // INVARIANT: I10: a key is not sent where somebody on the way could read it.
  if (address !== null && address.protocol !== "https:" && !isThisMachine(address.hostname))
    return fault(
      "base_url",
      "expected https, because a key is sent there; http is allowed only for addresses of this machine",
    );
  if (key_env !== undefined) {
    // INVARIANT: I10: programs get the variables of [sandbox].env.
    if ((sandbox?.env ?? []).includes(key_env)) return fault("key_env", "[sandbox].env would pass it to programs");
    return { ...setting, key: { variable: key_env } };
  }
  const file = canonicalPath(key_file ?? "", base);
  if ("problem" in file) return fault("key_file", file.problem);
  places.followed(["chat", "key_file"], file.links);
  return { ...setting, key: { file: file.path } };
}
