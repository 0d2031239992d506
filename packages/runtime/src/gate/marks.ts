/** The marks that a call puts on its principal: that it may have read a secret, or text written by strangers. Pure. */
import {
  type Authority,
  type CapabilityManifest,
  connectGrants,
  type Facts,
  isWithin,
  type Mark,
} from "@femtoclaw/protocol";
import { mayShow } from "@femtoclaw/sandbox";

const PLACES = { read_secret: "secret", seen_untrusted: "untrusted" } as const;

/**
 * INVARIANT: a call marks its principal if it may read, not only if it did. Every permitted use of a path counts. A
 * program counts if its sandbox could show it the place. An effect that names neither a path nor a program may reach
 * anything.
 */
export function marksOf(
  questions: Facts["questions"],
  effect: CapabilityManifest["effect"],
  authority: Authority,
): Mark[] {
  const { sensitive = { secret: [], untrusted: [] } } = authority;
  const marks: Mark[] = [];
  for (const mark of ["read_secret", "seen_untrusted"] as const) {
    const places = sensitive[PLACES[mark]];
    const reaches = (question: Facts["questions"][number]): boolean => {
      switch (question.kind) {
        case "path":
          return places.some(
            ({ path }) =>
              isWithin(question.path, path) ||
              // What a call reads below a folder holds no secrets, but it may hold text written by strangers.
              (mark === "seen_untrusted" && question.recursive === true && isWithin(path, question.path)),
          );
        case "program":
          return places.some(({ path }) => mayShow(authority, path));
        case "host":
          return false;
        case "mcp_tool":
          // A tool that runs in the sandbox sees what programs see. One that runs at a remote host sees no file of this
          // machine.
          return effect === "execute" && places.some(({ path }) => mayShow(authority, path));
        case "tool":
          return effect !== "none";
      }
    };
    // Answers from a host or from another party's server are written by strangers, even if no entry says so.
    const isAlways = mark === "seen_untrusted" && questions.some((question) => isAnswered(question, authority));
    if (isAlways || (places.length > 0 && questions.some(reaches))) marks.push(mark);
  }
  return marks;
}

/** Whether an outside party may answer: to a request, through an MCP server, or to a program that may connect. */
function isAnswered(question: Facts["questions"][number], authority: Authority): boolean {
  if (question.kind === "host" || question.kind === "mcp_tool") return true;
  if (question.kind !== "program") return false;
  const { program, real_path: realPath } = question;
  return connectGrants(authority, { program, realPath }).length > 0;
}
