/** Starts the page: opens its log, and renders everything anew whenever a signal that it uses changes. */
import { effect } from "@preact/signals-core";
import { render } from "preact";
import { Shell } from "./shell.tsx";
import { start } from "./store.ts";

const root = document.getElementById("page");
if (root !== null) effect(() => render(<Shell />, root));
void start();
