/** Serves metrics and health over HTTP, from before the runtime is up until after it has ended. */
import { ERRORS, errorText } from "@femtoclaw/protocol";
import type { ResolvedConfiguration, RuntimeStatus } from "@femtoclaw/runtime";
import type { EndpointAddress } from "@femtoclaw/runtime/configuration";
import { endpointUrl } from "./endpoint-url.ts";
import type { HttpAnswer, HttpEndpoint, Routes } from "./http-endpoint.ts";

export interface Observed {
  /** Null before the runtime is up. */
  status(): Pick<RuntimeStatus, "phase" | "ready" | "not_ready"> | null;
  /** Metrics for Prometheus; null while they are incomplete. */
  metrics(): { readonly type: string; readonly text: string } | null;
}

/** Addresses of metrics and health, for people; null for what is not served. */
export interface EndpointUrls {
  readonly prometheus: string | null;
  readonly health: string | null;
}

export function endpointUrls({ prometheus, health }: ResolvedConfiguration): EndpointUrls {
  return {
    prometheus: prometheus === undefined ? null : `${endpointUrl(prometheus)}/metrics`,
    health: health === undefined ? null : endpointUrl(health),
  };
}

export class ObservabilityEndpoints {
  readonly #endpoints: readonly HttpEndpoint[];

  private constructor(endpoints: readonly HttpEndpoint[]) {
    this.#endpoints = endpoints;
  }

  static async listen(configuration: ResolvedConfiguration, observed: Observed): Promise<ObservabilityEndpoints> {
    const { prometheus, health, endpointHosts: hosts = [] } = configuration;
    const endpoints: HttpEndpoint[] = [];
    try {
      for (const [address, routes] of placed(prometheus, health, observed)) {
        // Node.js needs tens of milliseconds to load its HTTP module, which most hosts never use.
        const http = await import("./http-endpoint.ts");
        endpoints.push(await http.HttpEndpoint.listen({ address, hosts, routes }));
      }
    } catch (error) {
      await Promise.all(endpoints.map((endpoint) => endpoint.close()));
      throw error;
    }
    return new ObservabilityEndpoints(endpoints);
  }

  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }
}

/** The routes of each address. One address may serve both metrics and health. */
function placed(
  prometheus: EndpointAddress | undefined,
  health: EndpointAddress | undefined,
  observed: Observed,
): readonly (readonly [EndpointAddress, Routes])[] {
  const metrics: Routes = { "/metrics": () => guarded(() => metricsAnswer(observed)) };
  const lives: Routes = {
    "/livez": () => guarded(() => livenessAnswer(observed)),
    "/readyz": () => guarded(() => readinessAnswer(observed)),
  };
  if (prometheus !== undefined && health !== undefined && endpointUrl(prometheus) === endpointUrl(health)) {
    return [[prometheus, { ...metrics, ...lives }]];
  }
  return [
    ...(prometheus === undefined ? [] : [[prometheus, metrics] as const]),
    ...(health === undefined ? [] : [[health, lives] as const]),
  ];
}

function metricsAnswer(observed: Observed): HttpAnswer {
  const metrics = observed.metrics();
  if (metrics === null) return { status: 503, type: "text/plain; charset=utf-8", body: "records are still counted\n" };
  return { status: 200, type: metrics.type, body: metrics.text };
}

/** A host is alive if it answers and has met no fault that it cannot recover from. */
function livenessAnswer(observed: Observed): HttpAnswer {
  const phase = observed.status()?.phase ?? "starting";
  const alive = phase !== "error" && phase !== "terminated";
  return json(alive ? 200 : 503, { alive, phase });
}

/**
 * Only a code says why the host is not ready. The reason could name paths, and anybody who reaches the address may ask.
 */
function readinessAnswer(observed: Observed): HttpAnswer {
  const status = observed.status();
  if (status === null) return json(503, { ready: false, phase: "starting", code: null, fix: null });
  const { ready, phase, not_ready } = status;
  const code = not_ready?.code ?? null;
  const fix = code !== null && Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS].fix : null;
  return json(ready ? 200 : 503, { ready, phase, code, fix });
}

function guarded(answer: () => HttpAnswer): HttpAnswer {
  try {
    return answer();
  } catch (error) {
    process.emitWarning(`an endpoint failed: ${errorText(error)}`);
    return json(500, { code: "FEMTO_INTERNAL" });
  }
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, type: "application/json", body: `${JSON.stringify(value)}\n` };
}
