import { readFileSync } from "node:fs";
import path from "node:path";

/** What the tests look at of a Grafana panel. */
export interface Panel {
	readonly id: number;
	readonly type: string;
	readonly title: string;
	readonly description?: string;
	readonly datasource?: { readonly type: string; readonly uid: string };
	readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
	readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
	/** Of a row: those that are folded into it. */
	readonly panels?: readonly Panel[];
}

interface Variable {
	readonly name: string;
	readonly type: string;
	readonly definition?: string;
}

interface Dashboard {
	readonly id: null;
	readonly uid: string;
	readonly title: string;
	readonly schemaVersion: number;
	readonly templating: { readonly list: readonly Variable[] };
	readonly panels: readonly Panel[];
}

const file = path.join(import.meta.dirname, "../../deploy/grafana/dashboard.json");

export const dashboard = JSON.parse(readFileSync(file, "utf8")) as Dashboard;

/** All panels but the rows, folded ones included. */
export const panels: readonly Panel[] = dashboard.panels
	.flatMap((panel) => [panel, ...(panel.panels ?? [])])
	.filter(({ type }) => type !== "row");

/** Every expression of the dashboard, each with its panel's title. */
export const expressions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

/** The expression as Grafana asks it when all is shown; `$__rate_interval` is at least four scrapes. */
export function asAsked(expr: string, rateInterval: string): string {
	return expr.replaceAll("$__rate_interval", rateInterval).replaceAll(/"\$(instance|source|target)"/g, '".*"');
}
