/** Icons drawn by hand, so that nothing has to be fetched. Each kind has a shape as well as a colour. */
import type { Kind } from "../src/history.ts";

const PATHS: Readonly<Record<Kind, string>> = {
  waiting: "M5 3h6M5 13h6M5.5 3c0 5 5 5 5 10M10.5 3c0 5-5 5-5 10",
  running: "M5.5 3.5v9l7-4.5z",
  failed: "M8 2.5l6 11H2zM8 7v3M8 11.8v.2",
  denied: "M8 2a6 6 0 100 12A6 6 0 008 2zM3.8 3.8l8.4 8.4",
  interrupted: "M9 1.5L4.5 8.5H8L6.5 14.5 11.5 7H8z",
  done: "M3 8.5l3.4 3.4L13 4.8",
  message: "M2.5 3.5h11v7.5H7l-3 2.5V11H2.5z",
};

export function KindIcon({ kind }: { readonly kind: Kind }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[kind]} />
    </svg>
  );
}

const PLACES = {
  overview: "M3 11.5L10 5l7 6.5M5 10v7h10v-7M8.5 17v-4h3v4",
  executions: "M4 5h12M4 10h12M4 15h8",
  approvals: "M10 3l6 2.5v4.2c0 3.6-2.4 6.2-6 7.3-3.6-1.1-6-3.7-6-7.3V5.5zM7.2 10l2 2 3.6-4",
  decisions: "M10 3v14M5 17h10M10 5L4.5 6.5 3 11h4L5.5 6.7M10 5l5.5 1.5L17 11h-4l1.5-4.3",
  timeline: "M3 10h14M6 7v6M10 5v10M14 8v4",
  supervision: "M10 3.5v4M5 12.5V10h10v2.5M8 3h4v4H8zM3 12.5h4v4H3zM13 12.5h4v4h-4z",
  log: "M5 3h7l3 3v11H5zM12 3v3h3M7.5 10h5M7.5 13h5",
  previous: "M12 5l-5 5 5 5",
  next: "M8 5l5 5-5 5",
  first: "M13 5l-5 5 5 5M6 5v10",
  last: "M7 5l5 5-5 5M14 5v10",
  play: "M7 4.5v11l8.5-5.5z",
  stop: "M7 5v10M13 5v10",
} as const;

export type IconName = keyof typeof PLACES;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon large" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PLACES[name]} />
    </svg>
  );
}

/** The logo: a claw that holds a dot. */
export function Claw() {
  return (
    <svg class="claw" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 29c-1.5-4.5-8.5-6-9-14C6.700 9 10 4.5 14.5 3c-2 3.5-2.5 6 0 9M16 29c1.5-4.5 8.5-6 9-14 .3-6-3-10.5-7.5-12 2 3.5 2.5 6 0 9" />
      <circle cx="16" cy="16.5" r="2.6" />
    </svg>
  );
}
