import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command } from "./command.ts";

export const certificateKinds = ["good", "expired", "wrong-host"] as const;
export type CertificateKind = (typeof certificateKinds)[number];

export interface Certificates {
	/** A PEM file of the authority that signed them all. */
	readonly ca: string;
	/** A PEM file of an authority that signed none of them. */
	readonly otherCa: string;
	readonly key: string;
	readonly file: (kind: CertificateKind) => string;
}

/** Makes an authority and a server's certificates by openssl: one good, one expired, one for another host. */
export async function makeCertificates(folder: string, names: { dns: readonly string[]; ip: string }): Promise<Certificates> {
	mkdirSync(path.join(folder, "issued"), { recursive: true });
	const at = (name: string) => path.join(folder, name);
	writeFileSync(at("index.txt"), "");
	const good = [...names.dns.map((dns) => `DNS:${dns}`), `IP:${names.ip}`].join(",");
	writeFileSync(at("openssl.cnf"), configuration(folder, good));

	for (const name of ["ca", "other-ca"]) {
		await openssl(
			"req",
			"-x509",
			...newKey(at(`${name}.key`)),
			"-days",
			"30",
			"-subj",
			`/CN=dirsyncd test ${name}`,
			"-out",
			at(`${name}.pem`),
		);
	}
	await openssl("req", ...newKey(at("server.key")), "-subj", `/CN=${names.dns[0]}`, "-out", at("server.csr"));
	await sign(at, "good", "good", []);
	await sign(at, "expired", "good", ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]);
	await sign(at, "wrong-host", "wrong_host", []);
	return { ca: at("ca.pem"), otherCa: at("other-ca.pem"), key: at("server.key"), file: (kind) => at(`${kind}.pem`) };
}

export interface ClientCertificates {
	readonly key: string;
	/** By the same authority: one good, one with 10 days left, one expired; and a good one by the other authority. */
	readonly file: (kind: "good" | "soon" | "expired" | "foreign") => string;
}

/** Makes certificates of a client, "CN=sync,O=Corp", in a folder where `makeCertificates` has made a server's. */
export async function makeClientCertificates(folder: string): Promise<ClientCertificates> {
	const at = (name: string) => path.join(folder, name);
	await openssl("req", ...newKey(at("client.key")), "-subj", "/O=Corp/CN=sync", "-out", at("client.csr"));
	await sign(at, "client-good", "client", ["-days", "90"], "client.csr");
	await sign(at, "client-soon", "client", ["-days", "10"], "client.csr");
	await sign(at, "client-expired", "client", ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"], "client.csr");
	const other = ["-CA", at("other-ca.pem"), "-CAkey", at("other-ca.key"), "-CAcreateserial"];
	await openssl("x509", "-req", "-in", at("client.csr"), ...other, "-days", "90", "-out", at("client-foreign.pem"));
	return { key: at("client.key"), file: (kind) => at(`client-${kind}.pem`) };
}

function sign(at: (name: string) => string, name: string, extensions: string, dates: string[], request = "server.csr") {
	const days = dates.length === 0 ? ["-days", "20"] : dates;
	const files = ["-config", at("openssl.cnf"), "-in", at(request), "-out", at(`${name}.pem`)];
	return openssl("ca", "-batch", "-notext", ...files, "-extensions", extensions, ...days);
}

function openssl(...args: string[]) {
	return command("openssl", args);
}

function newKey(file: string): string[] {
	return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", file];
}

function configuration(folder: string, names: string): string {
	return `[ca]
default_ca = here
[here]
new_certs_dir = ${folder}/issued
database = ${folder}/index.txt
certificate = ${folder}/ca.pem
private_key = ${folder}/ca.key
default_md = sha256
unique_subject = no
rand_serial = yes
policy = any
[any]
organizationName = optional
commonName = supplied
[good]
subjectAltName = ${names}
[client]
extendedKeyUsage = clientAuth
[wrong_host]
subjectAltName = DNS:dc9.elsewhere.example.test
`;
}
