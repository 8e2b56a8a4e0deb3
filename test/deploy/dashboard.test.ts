import { describe, expect, it } from "vitest";
import { dashboard, expressions, type Panel, panels } from "../support/dashboard.ts";
import { metricNames } from "../support/metric-names.ts";

const variables = dashboard.templating.list.map(({ name }) => name);
/** As a histogram is asked for. */
const base = (name: string): string => (metricNames.includes(name) ? name : name.replace(/_(bucket|sum|count)$/, ""));

describe("the dashboard", () => {
	it("can be imported into Grafana 10 or newer, from whatever Prometheus there is", () => {
		expect(dashboard.id).toBeNull();
		expect(dashboard.uid).toBe("dirsyncd");
		expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(38);
		expect(dashboard.templating.list.find(({ name }) => name === "datasource")?.type).toBe("datasource");
		const asked = panels.flatMap(({ datasource, targets = [] }) => [datasource, ...targets.map((target) => target.datasource)]);
		expect(new Set(asked.map((each) => each?.uid))).toEqual(new Set([`\${datasource}`]));
		const ids = dashboard.panels.map(({ id }) => id);
		expect(new Set(ids).size).toBe(ids.length);
	});

	it("asks for no variable that it does not have", () => {
		const named = expressions.flatMap(({ expr }) => [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name as string));
		expect([...new Set(named)].filter((name) => name !== "__rate_interval" && !variables.includes(name))).toEqual([]);
	});

	it.each(panels)("has its panels within its width and over no other, each with a word on what it shows: $title", (panel) => {
		expect(panel.description).toMatch(/\.$/);
		expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
		expect(dashboard.panels.filter((other) => other !== panel && overlap(panel, other)).map(({ title }) => title)).toEqual([]);
	});

	it("shows every metric there is, and asks for no other", () => {
		const shown = expressions.flatMap(({ expr }) => [...expr.matchAll(/\bdirsyncd_[a-z_]+/g)].map(([name]) => base(name)));
		expect([...new Set(shown)].sort()).toEqual([...metricNames].sort());
	});
});

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
	return one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;
}
