import { type Platform, platforms } from "./platforms.ts";
import { runNpm } from "./run.ts";

/** What of npm's bill of materials is ours to change; all else stays as npm wrote it. */
interface Bill {
	serialNumber?: string;
	readonly metadata: { timestamp: string; readonly component: { name: string; type: string } };
	components: readonly { readonly name: string }[];
	dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/**
 * What is in an archive, as CycloneDX by npm from the lock file, with neither the time nor the number that npm makes up each time, and
 * without the other platforms' Node. `folder` is one with package.json and package-lock.json.
 */
export function billOfMaterials(folder: string, platform: Platform, at: Date): string {
	const bill = JSON.parse(runNpm(["sbom", "--package-lock-only", "--omit=dev", "--sbom-format", "cyclonedx"], folder)) as Bill;
	const others = platforms.map(({ runtime }) => runtime).filter((runtime) => runtime !== platform.runtime);
	const isOther = (ref: string): boolean => others.some((name) => ref.startsWith(`${name}@`));
	delete bill.serialNumber;
	bill.metadata.timestamp = at.toISOString();
	// npm takes the folder's name for it.
	Object.assign(bill.metadata.component, { name: "dirsyncd", type: "application" });
	bill.components = bill.components.filter(({ name }) => !others.includes(name));
	bill.dependencies = bill.dependencies
		.filter(({ ref }) => !isOther(ref))
		.map(({ ref, dependsOn }) => ({ ref, ...(dependsOn && { dependsOn: dependsOn.filter((other) => !isOther(other)) }) }));
	return `${JSON.stringify(bill, undefined, "\t")}\n`;
}
