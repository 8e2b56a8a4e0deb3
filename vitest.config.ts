import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		// Two cores, and real servers on fixed ports beside them: more workers only make them wait for each other.
		maxWorkers: 2,
		testTimeout: 30_000,
		hookTimeout: 120_000,
		reporters: ["default"],
	},
});
