/** Starts the page: opens its log, and renders everything anew whenever a signal that it uses changes. */
import { effect } from "@preact/signals-core";
import { render } from "preact";
import { Shell } from "./shell.tsx";
import { counts, isLive, route, start } from "./store.ts";

const root = document.getElementById("page");
if (root !== null) effect(() => render(<Shell />, root));
// Somebody who looks at another tab sees there that a call waits.
effect(() => {
  const waiting = isLive.value ? counts.value.waiting : 0;
  document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${route.value[0]} · FemtoClaw`;
});
void start();
