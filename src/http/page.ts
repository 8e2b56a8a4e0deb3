import { createHash } from "node:crypto";
import type { Health } from "./health.ts";

const style = `:root { color-scheme: light dark; --line: #8884; --pass: #1a7f37; --warn: #9a6700; --fail: #cf222e }
@media (prefers-color-scheme: dark) { :root { --pass: #3fb950; --warn: #d29922; --fail: #f85149 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td { overflow-wrap: anywhere }
.pass { color: var(--pass) } .warn { color: var(--warn) } .fail { color: var(--fail) }`;

/** No scripts, nothing from anywhere, and only this style. */
export const CONTENT_SECURITY_POLICY = [
	"default-src 'none'",
	`style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join("; ");

/** The status page: health, for a person. It holds no personal data, since it is open. */
export function renderPage(health: Health): string {
	const rows = Object.entries(health.checks).flatMap(([name, checks]) =>
		checks.map((check) => {
			const { lastRun, status } = check;
			const last = lastRun === undefined ? "" : `${lastRun.mode} run ${lastRun.run ?? ""}, ${lastRun.time}: ${lastRun.output}`;
			const title = name.includes(":") || name === check.componentId ? name : `${name}:${check.componentId}`;
			const next = check.nextRun === undefined ? "" : `next run ${check.nextRun}`;
			const watching = check.watching === undefined ? "" : `watching: ${check.watching}`;
			const words = [check.output ?? "", last, watching, next].filter((text) => text !== "");
			return `<tr><td>${escapeHtml(title)}</td><td class="${status}">${status}</td><td>${words.map(escapeHtml).join("<br>")}</td></tr>`;
		}),
	);
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="10">
<title>dirsyncd: ${health.status}</title>
<style>${style}</style>
</head>
<body>
<h1>dirsyncd <span class="${health.status}">${health.status}</span></h1>
<p>${escapeHtml(health.description)} · version ${escapeHtml(health.version)} · <a href="/health">health</a> · <a href="/metrics">metrics</a></p>
<table>
<thead><tr><th>what</th><th>state</th><th>last run, and what to know</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
