import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { directoryWith, good } from "../config/configure.ts";

const launcher = path.join(import.meta.dirname, "../../src/launch.cjs");
const left: (ChildProcess | Server)[] = [];

afterEach(() => {
	for (const each of left.splice(0)) {
		if ("kill" in each) each.kill("SIGKILL");
		else each.close();
	}
});

interface Ended {
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

function start(argv: readonly string[], directory: string): ChildProcess {
	const { DIRSYNCD_CONFIG: _, ...environment } = process.env;
	const child = spawn(process.execPath, [launcher, ...argv], { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"] });
	left.push(child);
	return child;
}

async function ended(child: ChildProcess): Promise<Ended> {
	let out = "";
	let err = "";
	child.stdout?.on("data", (chunk: Buffer) => {
		out += chunk.toString();
	});
	child.stderr?.on("data", (chunk: Buffer) => {
		err += chunk.toString();
	});
	const [code] = (await once(child, "close")) as [number | null];
	return { code, out, err };
}

/** A server that takes a connection and says nothing, as a stopped domain controller does. */
async function silentServer(): Promise<{ readonly url: string; readonly connected: Promise<Socket> }> {
	const server = createServer();
	left.push(server);
	server.listen(0, "127.0.0.1");
	const connected = once(server, "connection").then(([socket]) => socket as Socket);
	await once(server, "listening");
	const address = server.address();
	return { url: `ldap://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`, connected };
}

function waiting(url: string): string {
	return directoryWith({
		"dirsyncd.yaml": good({ urls: `    urls: ["${url}"]\n    insecure: true\n    timeouts: { bind: 10m, request: 10m }` }),
	});
}

describe("the process", () => {
	it("a configuration with eight mistakes: eight problems with line and column, exit 2", async () => {
		const directory = directoryWith({
			"dirsyncd.yaml": [
				"sources:",
				"  - name: corp",
				"    type: active-directory",
				"    urls: [ldap://dc1]",
				"    bind: { user: svc, password: { file: ./nowhere } }",
				"    base: OU=Staff,corp",
				'    users: { fliter: "(mail=*)" }',
				"    schedule: { delta: every minute, timezone: Mars/Base }",
				"limits: { disable: { percent: many } }",
				"log: { level: loud }",
			].join("\n"),
		});
		for (const argv of [["config", "validate"], ["sync"], ["run"], ["accounts"]]) {
			const { code, out, err } = await ended(start(argv, directory));
			expect(code).toBe(2);
			expect(out).toBe("");
			const places = [...err.matchAll(/dirsyncd\.yaml:(\d+:\d+) /g)].map((match) => match[1]);
			expect(places).toEqual(["4:12", "5:34", "6:11", "7:14", "8:24", "8:48", "9:31", "10:15"]);
		}
		const { code, out, err } = await ended(start(["check", "--json"], directory));
		expect([code, err, JSON.parse(out).length]).toEqual([2, "", 8]);
		const validated = await ended(start(["config", "validate", "--json"], directory));
		expect(validated.code).toBe(2);
		const { error } = JSON.parse(validated.out);
		expect(error.code).toBe("CONFIG_INVALID");
		for (const problem of error.problems) expect(Object.keys(problem)).toEqual(["line", "column", "path", "value", "message", "remedy"]);
	});

	it("ends quietly when nobody reads its output any more", async () => {
		const child = start(["config", "schema"], directoryWith({}));
		child.stdout?.destroy();
		const { err } = await ended(child);
		expect(err).toBe("");
	});

	it("stops a reading at SIGTERM and ends with 1", async () => {
		const { url, connected } = await silentServer();
		const child = start(["sync", "--json"], waiting(url));
		const end = ended(child);
		await connected;
		child.kill("SIGTERM");
		const { code, out } = await end;
		expect(code).toBe(1);
		expect(out).toMatch(/"outcome":"failed"|"code":"CANCELLED"/);
	});

	it.skipIf(process.platform === "win32")("does not outlive its launcher, even one that was killed", async () => {
		const { url, connected } = await silentServer();
		const child = start(["sync"], waiting(url));
		const socket = await connected;
		const closed = once(socket, "close");
		socket.on("error", () => {}); // Reset by the peer is as good an end as any.
		socket.resume();
		child.kill("SIGKILL");
		await closed;
	});

	it.skipIf(process.platform === "win32")(
		"on Windows, where a signal that is sent kills, the launcher leaves a Ctrl+C to its child and waits",
		async () => {
			const folder = directoryWith({
				"windows.cjs": `Object.defineProperty(process, "platform", { value: "win32" });
					process.on("SIGINT", () => setImmediate(() => console.log("the launcher heard it")));`,
				"child.cjs": `let signals = 0;
					process.on("SIGINT", () => signals++);
					process.on("SIGTERM", () => process.exit(100 + signals));
					console.log("child " + process.pid);
					setInterval(() => {}, 1000);`,
			});
			const argv = ["--require", path.join(folder, "windows.cjs"), launcher, "--exec", path.join(folder, "child.cjs")];
			const child = spawn(process.execPath, argv, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
			left.push(child);
			let out = "";
			child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
			const saying = async (text: RegExp): Promise<string> => {
				while (!text.test(out)) await once(child.stdout, "data");
				return text.exec(out)?.[1] ?? "";
			};
			const pid = Number(await saying(/child (\d+)\n/));
			child.kill("SIGINT");
			await saying(/launcher heard it/);
			process.kill(pid, "SIGTERM");
			const [code] = await once(child, "close");
			expect(code).toBe(100);
		},
	);
});
