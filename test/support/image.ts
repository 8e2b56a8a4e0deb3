import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { command } from "./command.ts";

const project = path.join(import.meta.dirname, "../..");
const modules = realpathSync(path.join(project, "node_modules"));

/** What the Dockerfile says of its image, in Docker's words. Durations are nanoseconds. */
export interface ImageConfig {
	readonly User: string;
	readonly Env: readonly string[];
	readonly Entrypoint: readonly string[];
	readonly Cmd: readonly string[];
	readonly WorkingDir: string;
	readonly Volumes: Readonly<Record<string, unknown>>;
	readonly Healthcheck: { readonly Test: readonly string[]; readonly Timeout: number };
}

export interface Image {
	/** Its file system, writable, as this machine sees it. */
	readonly root: string;
	readonly config: ImageConfig;
	remove(): Promise<void>;
}

/**
 * Builds the Dockerfile as it stands. Its base is Debian's own files with the pinned Node, made once beneath node_modules/.cache and
 * tagged as the official image, which no registry has to be asked for. npm goes the way that it goes on this machine.
 */
export async function buildImage(): Promise<Image> {
	const folder = mkdtempSync(path.join(tmpdir(), "dirsyncd-image-"));
	const beside = ["--storage-opt", `vfs.imagestore=${await keptBase()}`];
	const buildah = openBuildah(path.join(folder, "storage"), path.join(folder, "run"), beside);
	const remove = async (): Promise<void> => {
		// What is mounted cannot be removed.
		await buildah("umount", "--all").catch(() => {});
		rmSync(folder, { recursive: true, force: true });
	};
	try {
		const how = ["--isolation", "chroot", "--pull=never", "--format", "docker", "--quiet"];
		const id = await buildah("bud", ...how, ...(await wayToRegistry(folder)), await checkOut(folder));
		const { Docker } = JSON.parse(await buildah("inspect", "--type", "image", id)) as { Docker: { config: ImageConfig } };
		await buildah("from", "--pull=never", "--name", "image", id);
		return { root: await buildah("mount", "image"), config: Docker.config, remove };
	} catch (error) {
		await remove();
		throw error;
	}
}

/** The project as a careful administrator checks it out: for nobody else's eyes. */
async function checkOut(folder: string): Promise<string> {
	const copy = path.join(folder, "project");
	cpSync(project, copy, { recursive: true, filter: (file) => !["node_modules", ".git"].includes(path.basename(file)) });
	await command("chmod", ["-R", "go=", copy]);
	return copy;
}

type Buildah = (...args: string[]) => Promise<string>;

function openBuildah(storage: string, running: string, options: readonly string[] = []): Buildah {
	const where = ["--root", storage, "--runroot", running, "--storage-driver", "vfs", ...options];
	return async (...args) => (await command("buildah", [...where, ...args])).stdout.toString().trim();
}

/** The image that the Dockerfile begins with. */
const BASE = "docker.io/library/node:24-bookworm-slim";

/** Where it is kept, by its Node; only whole ones are. */
async function keptBase(): Promise<string> {
	const kept = path.join(modules, ".cache/dirsyncd-image", `bookworm-node-${process.versions.node}`);
	if (existsSync(kept)) return kept;
	mkdirSync(path.dirname(kept), { recursive: true });
	const folder = mkdtempSync(`${kept}-`);
	try {
		await makeBase(openBuildah(path.join(folder, "storage"), path.join(folder, "run")));
		// Another one may have been quicker.
		if (!existsSync(kept)) renameSync(path.join(folder, "storage"), kept);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	return kept;
}

async function makeBase(buildah: Buildah): Promise<void> {
	await buildah("from", "--name", "base", "scratch");
	try {
		const root = await buildah("mount", "base");
		await command("debootstrap", ["--variant=minbase", "bookworm", root]);
		for (const unneeded of ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"])
			rmSync(path.join(root, unneeded), { recursive: true });
		const local = path.join(root, "usr/local");
		await command("install", ["-m", "0755", process.execPath, path.join(local, "bin/node")]);
		mkdirSync(path.join(local, "lib/node_modules"), { recursive: true });
		mkdirSync(path.join(local, "etc"), { recursive: true });
		const npm = path.join((await command("npm", ["root", "--global"])).stdout.toString().trim(), "npm");
		await command("cp", ["-R", "--dereference", npm, path.join(local, "lib/node_modules/npm")]);
		symlinkSync("../lib/node_modules/npm/bin/npm-cli.js", path.join(local, "bin/npm"));
		await command("chroot", [root, "groupadd", "--gid", "1000", "node"]);
		await command("chroot", [root, "useradd", "--uid", "1000", "--gid", "node", "--create-home", "node"]);
		await buildah("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "--cmd", "node", "base");
		await buildah("commit", "--quiet", "base", BASE);
	} finally {
		await buildah("rm", "base");
	}
}

/** What npm needs to know of this machine, for the time of the build and not in the image: registry, proxy, authorities, cache. */
async function wayToRegistry(folder: string): Promise<readonly string[]> {
	const asked = ["registry", "proxy", "https-proxy", "cafile", "userconfig", "cache"];
	const said = (await command("npm", ["config", "get", ...asked])).stdout.toString();
	const setting = (name: string): string | undefined => said.match(new RegExp(`^${name}=(?!null$|undefined$)(.+)$`, "m"))?.[1];
	const authorities = setting("cafile") ?? process.env["NODE_EXTRA_CA_CERTS"];
	const lines = ["registry", "proxy", "https-proxy"].flatMap((name) => (setting(name) === undefined ? [] : [`${name}=${setting(name)}`]));
	const file = path.join(folder, "npmrc");
	writeFileSync(file, [...lines, ...(authorities === undefined ? [] : ["cafile=/usr/local/etc/authorities.pem"]), ""].join("\n"));
	const mounts = [
		{ from: file, to: "/usr/local/etc/npmrc", how: "ro" },
		{ from: authorities, to: "/usr/local/etc/authorities.pem", how: "ro" },
		{ from: setting("userconfig"), to: "/root/.npmrc", how: "ro" },
		{ from: setting("cache"), to: "/root/.npm", how: "rw" },
	];
	return mounts.flatMap(({ from, to, how }) => (from !== undefined && existsSync(from) ? ["--volume", `${from}:${to}:${how}`] : []));
}
