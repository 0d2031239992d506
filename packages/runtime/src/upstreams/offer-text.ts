/** What a model is told of what a tool can get, where its client lists no resources and no prompts. */
import type { McpContent } from "@femtoclaw/protocol";

/** LIMIT: characters of the names of resources or prompts in what is told of the tool for them; clients list all of them. */
const OFFER_CHARS = 2_000;

export function offerText(offers: readonly McpContent[]): string {
  const names = offers.map(({ name }) => name).join(" ");
  return names.length <= OFFER_CHARS ? names : `${names.slice(0, OFFER_CHARS).replace(/ [^ ]*$/, "")} and more`;
}
