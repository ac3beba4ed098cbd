/**
 * Owns: reading where spans go from OpenTelemetry's own variables (OpenTelemetry Protocol Exporter, specification).
 * Does not own: whether the variables are well formed (`src/config/variables.ts`).
 */

/** As OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS have it. */
export interface CollectorVariables {
  endpoint: string | null;
  tracesEndpoint: string | null;
  headers: string | null;
}

export interface Collector {
  url: string;
  headers: Record<string, string>;
}

/** Null where no collector is named. An endpoint for traces is taken as it is; the common one has a path added. */
export function collectorFrom({ endpoint, tracesEndpoint, headers }: CollectorVariables): Collector | null {
  const url = tracesEndpoint ?? (endpoint && `${endpoint.replace(/\/$/, '')}/v1/traces`);
  return url ? { url, headers: headersFrom(headers) } : null;
}

/** `name=value` pairs between commas, percent-encoded (W3C Baggage). Values may be secret. */
export function headersFrom(text: string | null): Record<string, string> {
  const pairs = (text ?? '').split(',').map((pair): [string, string] => {
    const [name = '', ...value] = pair.split('=');
    return [decoded(name), decoded(value.join('='))];
  });
  return Object.fromEntries(pairs.filter(([name, value]) => name !== '' && value !== ''));
}

function decoded(text: string): string {
  const trimmed = text.trim();
  try {
    return decodeURIComponent(trimmed);
  } catch {
    return trimmed;
  }
}
