/** Begins the page: looks for its log, and draws all of it anew whenever something changes that was drawn. */
import { effect } from "@preact/signals-core";
import { render } from "preact";
import { Shell } from "./shell.tsx";
import { start } from "./store.ts";

const root = document.getElementById("page");
if (root !== null) effect(() => render(<Shell />, root));
void start();
