/** The frame around every view: navigation, whose log it is, and the moment that is shown. */
import { Approvals } from "./approvals.tsx";
import { Decisions } from "./decisions.tsx";
import { ExecutionPage } from "./execution.tsx";
import { Executions } from "./executions.tsx";
import { Claw, Icon, type IconName } from "./icons.tsx";
import { AboutLog } from "./log.tsx";
import { Moments } from "./moments.tsx";
import { Overview } from "./overview.tsx";
import {
  at,
  beginning,
  type Connection,
  connection,
  counts,
  fault,
  held,
  isLive,
  isOver,
  link,
  route,
  version,
} from "./store.ts";
import { Supervision } from "./supervision.tsx";
import { shown } from "./text.tsx";
import { Timeline } from "./timeline.tsx";

const PLACES: readonly (readonly [place: IconName, name: string])[] = [
  ["overview", "Overview"],
  ["executions", "Executions"],
  ["approvals", "Approvals"],
  ["decisions", "Decisions"],
  ["timeline", "Timeline"],
  ["supervision", "Supervision"],
  ["log", "Log"],
];

export function Shell() {
  if (isOver()) return <NoSession />;
  const [place = "overview", name] = route.value;
  return (
    <div class="shell">
      <nav aria-label="views">
        <a class="brand" href={link("overview")} aria-label="FemtoClaw, overview">
          <Claw />
        </a>
        {PLACES.map(([id, title]) => (
          <a
            key={id}
            href={link(id)}
            class={id === place ? "current" : ""}
            aria-current={id === place ? "page" : undefined}
          >
            <Icon name={id} />
            {title}
            {id === "approvals" && counts.value.waiting > 0 && <b class="badge">{counts.value.waiting}</b>}
          </a>
        ))}
      </nav>
      <div class="body">
        <Head />
        <main tabIndex={-1}>{viewOf(place, name)}</main>
        <Moments />
      </div>
    </div>
  );
}

function viewOf(place: string, name: string | undefined) {
  switch (place) {
    case "executions":
      return name === undefined ? <Executions /> : <ExecutionPage key={name} id={name} />;
    case "approvals":
      return <Approvals />;
    case "decisions":
      return <Decisions />;
    case "timeline":
      return <Timeline />;
    case "supervision":
      return <Supervision machine={name ?? "lifecycle"} />;
    case "log":
      return <AboutLog />;
    default:
      return <Overview />;
  }
}

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  opening: "reading the log…",
  following: "live",
  complete: "recording",
  lost: "the host does not answer",
  used: "",
  elsewhere: "",
};

function Head() {
  version.value;
  const { mode, log = "", approve = false, verdict = null } = beginning.value ?? {};
  const phase = held.value.machineAt("lifecycle", at.value).value;
  const where = connection.value === "complete" && mode === "file" ? "exported file" : CONNECTIONS[connection.value];
  return (
    <header class="head">
      <h1>FemtoClaw</h1>
      <span class={`light ${connection.value}`}>{where}</span>
      <span class="log" title="name of the log">
        {shown(log, 80)}
      </span>
      {verdict !== null && verdict.verdict !== "verified" && (
        <a class="fault" href={link("log")}>
          {shown(verdict.verdict, 40)}
        </a>
      )}
      {approve && connection.value === "following" && <span class="may">answers are allowed here</span>}
      {fault.value !== null && (
        <strong class="fault" role="alert">
          cannot be followed: {shown(fault.value, 300)}
        </strong>
      )}
      <span class="grow" />
      <span class="phase" aria-live="polite">
        {connection.value !== "opening" && `${isLive.value ? "" : "was "}${shown(phase)}`}
      </span>
    </header>
  );
}

function NoSession() {
  const wasUsed = connection.value === "used";
  return (
    <main class="nobody">
      <Claw />
      <h1>{wasUsed ? "This address opens once" : "The log is shown in another tab"}</h1>
      <p>
        {wasUsed
          ? "Its ticket was used, or the program that gave it out has ended. If nobody but you had the address, somebody else has opened it."
          : "Only the tab in which the address was opened shows it."}{" "}
        For a new one, run <code>femtoclaw inspect</code> and open the address that it prints.
      </p>
    </main>
  );
}
