/** The command line of `chat`. */
import { type Command, Option } from "commander";
import type { ChatOptions } from "../commands/chat.ts";
import type { Runner } from "../commands/command-context.ts";
import { waitingTime } from "./option-values.ts";

/** The SDK that asks models is loaded only with this command. */
export function addChatCommand(program: Command, run: Runner): void {
  program
    .command("chat")
    .argument("[said]", "what you say; without it, the chat is interactive, or reads stdin if there is no terminal")
    .addOption(
      new Option("--provider <name>", "protocol of the model's endpoint").choices(["openai-compatible", "anthropic"]),
    )
    .option("--model <name>", "the model, as its provider names it")
    .option("--base-url <url>", "endpoint of the model, such as http://127.0.0.1:11434/v1")
    .option("--key-file <file>", "file with the provider's key")
    .option("--key-env <name>", "variable with the provider's key")
    .option("--script <file>", "file with prepared answers, instead of a model")
    .option("--agent <name>", "propose as the agent [agent.NAME]")
    .option("--wait <ms>", "how long a call waits for an operator before it is withdrawn", waitingTime)
    .description("chat with a model whose tools are the running host's capabilities")
    .action((said: string | undefined, options: ChatOptions) =>
      run(async (context) => (await import("../commands/chat.ts")).chat(context, said, options)),
    );
}
