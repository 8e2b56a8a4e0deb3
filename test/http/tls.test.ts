import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect } from "node:tls";
import { Agent, fetch } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDoors } from "../../src/cli/doors.ts";
import { makeSecret } from "../../src/config/secret.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { adminToken, openPageWorld, type PageWorld } from "../support/page-world.ts";
import { describeWith } from "../support/require.ts";

describeWith(["openssl"], "over TLS", () => {
	let folder: string;
	let certificates: Certificates;
	let world: PageWorld;
	let agent: Agent;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-tls-"));
		// A name that is not the one by which a command on the same machine asks.
		certificates = await makeCertificates(folder, { dns: ["dirsyncd.example.com"], ip: "10.9.8.7" });
		const tls = { cert: readFileSync(certificates.file("good"), "utf8"), key: makeSecret(readFileSync(certificates.key, "utf8")) };
		world = await openPageWorld({ tls });
		agent = new Agent({ connect: { ca: readFileSync(certificates.ca, "utf8"), servername: "dirsyncd.example.com" } });
	});
	afterAll(async () => {
		await agent.close();
		await world.server.close(0);
		rmSync(folder, { recursive: true });
	});

	it("the cookie is bound to this host and TLS, and browsers are told to stay there", async () => {
		const { url } = world.server;
		expect(url).toMatch(/^https:/);
		const form = {
			method: "POST",
			body: new URLSearchParams({ token: adminToken }),
			headers: { origin: url },
			redirect: "manual",
			dispatcher: agent,
		} as const;
		const { headers, status } = await fetch(new URL("/login", url), form);
		expect(status).toBe(303);
		expect(headers.get("set-cookie")).toMatch(/^__Host-dirsyncd=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
		expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
	});

	it("a renewed certificate is shown without a restart", async () => {
		const { port } = new URL(world.server.url);
		const shown = async (): Promise<string> => {
			const socket = connect({ port: Number(port), host: "127.0.0.1", rejectUnauthorized: false });
			await once(socket, "secureConnect");
			const names = socket.getPeerX509Certificate()?.subjectAltName ?? "";
			socket.destroy();
			return names;
		};
		const renew = (kind: "good" | "wrong-host"): void =>
			world.server.renew({ cert: readFileSync(certificates.file(kind), "utf8"), key: makeSecret(readFileSync(certificates.key, "utf8")) });
		expect(await shown()).toContain("dirsyncd.example.com");
		renew("wrong-host");
		expect(await shown()).not.toContain("dirsyncd.example.com");
		renew("good");
		expect(await shown()).toContain("dirsyncd.example.com");
	});

	it("a command on this machine reaches the daemon by its own certificate, whatever name that is for, and tells nobody else the token", async () => {
		const ask = (certificate: string | undefined) =>
			openDoors(Date.now).request(
				{ url: `${world.server.url}/api/v1/status`, method: "POST", token: adminToken, body: undefined, certificate },
				new AbortController().signal,
			);
		// There is nothing to post there, which only the daemon could say.
		expect((await ask(readFileSync(certificates.file("good"), "utf8"))).status).toBe(405);
		for (const other of [readFileSync(certificates.otherCa, "utf8"), readFileSync(certificates.file("wrong-host"), "utf8"), undefined]) {
			await expect(ask(other)).rejects.toMatchObject({ code: "DAEMON_UNREACHABLE" });
		}
	});
});
