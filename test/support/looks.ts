import type { Look } from "../../src/http/look.ts";

/** What the page sees before anything happened; what matters to a test stands beside it. */
export const nothingToSee: Look = {
	sources: () => [],
	targets: () => [],
	heldBriefly: () => [],
	quarantineBriefly: () => ({ count: 0, first: [] }),
	runs: () => [],
	run: () => undefined,
	rules: () => [],
	going: () => [],
	explain: async () => [],
};
