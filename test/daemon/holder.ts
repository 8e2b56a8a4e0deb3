import { acquireLock } from "../../src/daemon/lock.ts";

// A process of its own for lock.test.ts: takes the database named, says so, and keeps it until it is told or killed.
const [database = "", command = "run"] = process.argv.slice(2);
try {
	const lock = acquireLock(database, { command, clock: Date.now });
	process.stdout.write("held\n");
	process.stdin.once("data", () => {
		lock.release();
		process.exit(0);
	});
} catch (error) {
	process.stdout.write(`refused ${(error as Error).message}\n`);
	process.exit(1);
}
