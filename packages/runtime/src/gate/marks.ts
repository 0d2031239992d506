/** What a call marks its principal with: that it may have read a secret, or what strangers wrote. Pure. */
import { type Authority, type CapabilityManifest, connectGrants, type Facts, type Mark } from "@femtoclaw/protocol";
import { mayShow } from "@femtoclaw/sandbox";
import { isWithin } from "../configuration/canonical-path.ts";

const PLACES = { read_secret: "secret", seen_untrusted: "untrusted" } as const;

/**
 * INVARIANT: a call marks its principal when it may read, not when it did. Every permitted use of a path counts; a program
 * counts where its sandbox could show it the place; an effect that names neither a path nor a program may reach anything.
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
              // What a call reads below a folder holds no secrets, but it may hold what strangers wrote.
              (mark === "seen_untrusted" && question.recursive === true && isWithin(path, question.path)),
          );
        case "program":
          return places.some(({ path }) => mayShow(authority, path));
        case "host":
          return false;
        case "mcp_tool":
          // What runs in the sandbox sees what programs see; what runs at a far host sees no file of this machine.
          return effect === "execute" && places.some(({ path }) => mayShow(authority, path));
        case "tool":
          return effect !== "none";
      }
    };
    // What a host or a server of others answers is written by strangers, without any entry that says so.
    const isAlways = mark === "seen_untrusted" && questions.some((question) => isAnswered(question, authority));
    if (isAlways || (places.length > 0 && questions.some(reaches))) marks.push(mark);
  }
  return marks;
}

/** Whether somebody out there may answer: to a request, through a server of others, or to a program that may connect. */
function isAnswered(question: Facts["questions"][number], authority: Authority): boolean {
  if (question.kind === "host" || question.kind === "mcp_tool") return true;
  if (question.kind !== "program") return false;
  const { program, real_path: realPath } = question;
  return connectGrants(authority, { program, realPath }).length > 0;
}
