/** The systems to be measured. Their packages are loaded only by the process that runs them. */
import type { Need } from "./needs.ts";
import type { Place, System } from "./system.ts";

export interface SystemEntry {
  readonly title: string;
  /** What has to be installed first. */
  readonly needs: readonly Need[];
  readonly open: (place: Place) => Promise<System>;
}

export const SYSTEMS = {
  "femtoclaw-in-process": {
    title: "FemtoClaw in process",
    needs: [],
    open: async (place) => (await import("./systems/femtoclaw-in-process.ts")).open(place),
  },
  "femtoclaw-socket": {
    title: "FemtoClaw over its socket",
    needs: [],
    open: async (place) => (await import("./systems/femtoclaw-socket.ts")).open(place),
  },
  restate: {
    title: "Restate",
    needs: ["packages"],
    open: async (place) => (await import("./systems/restate.ts")).open(place),
  },
  dbos: {
    title: "DBOS + PostgreSQL",
    needs: ["packages", "postgresql"],
    open: async (place) => (await import("./systems/dbos.ts")).open(place),
  },
  bullmq: {
    title: "BullMQ + Redis, fsync always",
    needs: ["packages", "redis"],
    open: async (place) => (await import("./systems/bullmq.ts")).open(place),
  },
  langgraph: {
    title: "LangGraph + SQLite, FULL",
    needs: ["packages", "sqlite"],
    open: async (place) => (await import("./systems/langgraph.ts")).open(place),
  },
} satisfies Record<string, SystemEntry>;

export type SystemName = keyof typeof SYSTEMS;
export const SYSTEM_NAMES = Object.keys(SYSTEMS) as readonly SystemName[];
