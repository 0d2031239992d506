/** The service behind Restate's server: `restate-service.ts PORT`. */
import { type Context, serve, service } from "@restatedev/restate-sdk";
import { perform } from "../perform.ts";
import type { ToolCall } from "../system.ts";

const bench = service({
  name: "bench",
  handlers: { run: async (context: Context, call: ToolCall) => await context.run("effect", () => perform(call)) },
});
await serve({ services: [bench], port: Number(process.argv[2]) });
