import { Registry } from "prom-client";
import { makeTable } from "../../src/telemetry/metrics-table.ts";

const registry = new Registry();
makeTable(registry);

/** Every metric of the project, by the name it is made under. */
export const metricNames: readonly string[] = registry.getMetricsAsArray().map(({ name }) => name);
