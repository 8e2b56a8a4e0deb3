import { checkServerCertificate } from "./certificates.ts";
import { parseListen } from "./formats.ts";
import { type Gathering, isOn, isThere, sayMissing, textAt } from "./gathering.ts";

/** Whether the way to the daemon's own listener is safe: tokens and people's data cross it. */
export function checkListener(gathering: Gathering): void {
	checkServerCertificate(gathering);
	const where = ["http", "listen"];
	const tls = ["http", "tls"];
	if (isThere(gathering, tls)) {
		if (!isThere(gathering, [...tls, "key"])) sayMissing(gathering, [...tls, "cert"]);
		return;
	}
	const listen = parseListen(textAt(gathering, where) ?? "");
	if (listen === undefined || isLoopback(listen.host)) return;
	const message = "plain HTTP beyond this machine: tokens and people's data cross the network in clear";
	if (isOn(gathering, ["http", "insecure"])) gathering.warn(where, { message, remedy: "give http.tls a cert and a key" });
	else {
		const remedy = "give http.tls a cert and a key, or listen on 127.0.0.1 (or set http.insecure: true where nobody else is on the line)";
		gathering.problem(where, { message, remedy });
	}
}

function isLoopback(host: string): boolean {
	return /^127\.\d+\.\d+\.\d+$/.test(host) || /^(?:0{0,4}:){2,7}0{0,3}1$/.test(host) || host.toLowerCase() === "localhost";
}
