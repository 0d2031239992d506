/** The charts stand in the document beside the script, as data. */
import type { Chart } from "../src/chart.ts";

export const CHARTS = JSON.parse(document.getElementById("charts")?.textContent ?? "[]") as readonly Chart[];
