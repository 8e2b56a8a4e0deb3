import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** The socket that systemd gives to a service ($NOTIFY_SOCKET), and what is said there. */
export interface NotifySocket {
	readonly path: string;
	/** Each message, its assignments divided by " | ". */
	readonly heard: readonly string[];
	/** The first message of which `is` is true, after the first `skip` ones. */
	hears(is: (said: string) => boolean, skip?: number): Promise<string>;
	close(): void;
}

/** Node has no datagram sockets of AF_UNIX; every Debian has Perl. recv() drops the file descriptor of the barrier, so nobody waits. */
const listener = `
$| = 1;
socket(S, PF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($ARGV[0])) or die $!;
chmod 0777, $ARGV[0];
print "listening\\n";
while (defined recv(S, my $said, 65536, 0)) { $said =~ s/\\n(?=.)/ | /g; $said =~ s/\\n//; print "$said\\n" }
`;

export async function openNotifySocket(path: string): Promise<NotifySocket> {
	const child = spawn("setpriv", ["--pdeathsig", "KILL", "perl", "-MSocket", "-e", listener, path], {
		stdio: ["ignore", "pipe", "inherit"],
	});
	const heard: string[] = [];
	const waiting = new Set<() => void>();
	const listening = Promise.withResolvers<void>();
	createInterface({ input: child.stdout }).on("line", (line) => {
		if (line === "listening") return listening.resolve();
		if (!line.startsWith("BARRIER=")) heard.push(line.trim());
		for (const look of waiting) look();
	});
	child.once("exit", () => listening.reject(new Error("perl cannot listen")));
	await listening.promise;
	return {
		path,
		heard,
		hears: (is, skip = 0) =>
			new Promise((resolve) => {
				const look = (): void => {
					const said = heard.slice(skip).find(is);
					if (said === undefined) return;
					waiting.delete(look);
					resolve(said);
				};
				waiting.add(look);
				look();
			}),
		close: () => void child.kill("SIGKILL"),
	};
}
