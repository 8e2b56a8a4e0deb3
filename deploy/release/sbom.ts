import { runNpm } from "./run.ts";

/** What of npm's bill of materials is ours to change; all else stays as npm wrote it. */
interface Bill {
	serialNumber?: string;
	readonly metadata: { timestamp: string; readonly component: { name: string; type: string } };
}

/**
 * What is in an archive, as CycloneDX by npm, with neither the time nor the number that npm makes up each time. `tree` has the packages
 * with their lock file, and a package.json without devDependencies: from one that has them, npm (11) leaves out whatever they need, too.
 */
export function billOfMaterials(tree: string, at: Date): string {
	const bill = JSON.parse(runNpm(["sbom", "--sbom-format", "cyclonedx"], tree)) as Bill;
	delete bill.serialNumber;
	bill.metadata.timestamp = at.toISOString();
	// npm takes the folder's name for it.
	Object.assign(bill.metadata.component, { name: "dirsyncd", type: "application" });
	return `${JSON.stringify(bill, undefined, "\t")}\n`;
}
