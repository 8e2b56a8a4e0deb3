import type { Entitlements } from "./account.ts";

export function wordsOfEntitlements(
	before: Entitlements,
	after: Entitlements,
	throughOf: (kind: "feature" | "policy", name: string) => string,
): string {
	const phrases: string[] = [];
	for (const name of after.features ?? [])
		if (!before.features?.includes(name)) phrases.push(`feature ${name} on: ${throughOf("feature", name)}`);
	for (const name of before.features ?? [])
		if (!after.features?.includes(name)) phrases.push(`feature ${name} off: ${throughOf("feature", name)}`);
	for (const [name, value] of Object.entries(after.policies ?? {})) {
		const was = before.policies?.[name];
		const text = JSON.stringify(value);
		if (was === undefined) phrases.push(`policy ${name} set to ${text}: ${throughOf("policy", name)}`);
		else if (was !== value) phrases.push(`policy ${name} from ${JSON.stringify(was)} to ${text}: ${throughOf("policy", name)}`);
	}
	for (const [name, was] of Object.entries(before.policies ?? {}))
		if (after.policies?.[name] === undefined)
			phrases.push(`policy ${name} cleared, was ${JSON.stringify(was)}: ${throughOf("policy", name)}`);
	return phrases.join("; ");
}
