/** The charts are embedded in the document as data. */
import type { Chart } from "../src/chart.ts";

export const CHARTS = JSON.parse(document.getElementById("charts")?.textContent ?? "[]") as readonly Chart[];
