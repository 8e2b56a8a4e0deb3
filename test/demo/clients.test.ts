import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect as connectTls } from "node:tls";
import { Client, Control } from "ldapts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { command } from "../support/command.ts";
import { describeWith } from "../support/require.ts";
import { makeWire } from "./wire.ts";

const BASE = "DC=corp,DC=example,DC=com";
const PEOPLE = `OU=People,${BASE}`;

let demo: Demo;

beforeAll(async () => {
	demo = await startDemo({ people: { kind: "company", count: 120 } });
});

afterAll(() => demo.close());

/** Values of one attribute in LDIF, decoded. */
function ldifValues(ldif: string, attribute: string): string[] {
	return [...ldif.matchAll(new RegExp(`^${attribute}(::?) (.*)$`, "gim"))].map(([, colons, value = ""]) =>
		colons === "::" ? Buffer.from(value, "base64").toString() : value,
	);
}

describeWith(["ldapsearch"], "OpenLDAP's tools on the demo directory", () => {
	const as = (user: string, password: string): string[] => ["-x", "-H", demo.url, "-D", user, "-w", password, "-o", "ldif-wrap=no"];
	const search = async (...args: string[]): Promise<string> => {
		const { stdout } = await command("ldapsearch", [...as(demo.bindUser, demo.bindPassword), "-LLL", ...args]);
		return stdout.toString();
	};
	const modify = async (ldif: string, ...args: string[]): Promise<void> => {
		await command("ldapmodify", [...as(demo.admin.user, demo.admin.password), ...args], { input: ldif });
	};

	it("ldapsearch reads everybody, page by page", async () => {
		const ldif = await search("-E", "pr=50/noprompt", "-b", PEOPLE, "(&(objectCategory=person)(objectClass=user))", "sAMAccountName");
		const names = ldifValues(ldif, "sAMAccountName");
		expect(names).toHaveLength(120);
		expect(new Set(names).size).toBe(120);
	});

	it("ldapsearch filters by names in any language, with escapes", async () => {
		const odd = [...demo.directory.all()].filter(({ dn, isDeleted }) => !isDeleted && /\\/.test(dn) && dn.endsWith(PEOPLE));
		expect(odd.length).toBeGreaterThan(3);
		for (const { dn } of odd.slice(0, 5)) {
			const [found] = ldifValues(await search("-b", dn, "-s", "base", "1.1"), "dn");
			expect(found).toBe(dn);
			const byFilter = await search(
				"-b",
				PEOPLE,
				`(distinguishedName=${dn.replaceAll("\\", "\\5c").replace(/[*()]/g, (special) => `\\${special.charCodeAt(0).toString(16)}`)})`,
				"1.1",
			);
			expect(ldifValues(byFilter, "dn")).toEqual([dn]);
		}
	});

	it("ldapmodify adds, changes, renames, moves and deletes", async () => {
		await modify(
			`dn: CN=Neu Mann,${PEOPLE}\nchangetype: add\nobjectClass: user\nsAMAccountName: neumann\nmail: neu@x.example\nuserAccountControl: 512\n`,
		);
		await modify(
			`dn: CN=Neu Mann,${PEOPLE}\nchangetype: modify\nreplace: title\ntitle: Chef\n-\nadd: proxyAddresses\nproxyAddresses: SMTP:neu@x.example\n-\ndelete: mail\n`,
		);
		const { guid } = demo.directory.get("neumann") ?? { guid: "" };
		await modify(`dn: CN=Neu Mann,${PEOPLE}\nchangetype: modrdn\nnewrdn: CN=Neu Frau\ndeleteoldrdn: 1\nnewsuperior: OU=Leavers,${BASE}\n`);
		const ldif = await search("-b", `<GUID=${guid}>`, "-s", "base", "title", "mail", "proxyAddresses");
		expect(ldifValues(ldif, "dn")).toEqual([`CN=Neu Frau,OU=Leavers,${BASE}`]);
		expect(ldifValues(ldif, "title")).toEqual(["Chef"]);
		expect(ldifValues(ldif, "mail")).toEqual([]);
		expect(ldifValues(ldif, "proxyAddresses")).toEqual(["SMTP:neu@x.example"]);
		await modify(`dn: CN=Neu Frau,OU=Leavers,${BASE}\nchangetype: delete\n`);
		expect(demo.directory.get(`<GUID=${guid}>`)?.isDeleted).toBe(true);
		await modify(
			`dn: <GUID=${guid}>\nchangetype: modify\ndelete: isDeleted\n-\nreplace: distinguishedName\ndistinguishedName: CN=Wieder,${PEOPLE}\n`,
			"-e",
			"!1.2.840.113556.1.4.417",
		);
		expect(demo.directory.get(`CN=Wieder,${PEOPLE}`)?.guid).toBe(guid);
		demo.directory.delete(`CN=Wieder,${PEOPLE}`);
	});

	it("ldapadd gets AD's defaults: who comes without a userAccountControl is disabled", async () => {
		await modify(`dn: CN=Bare,${PEOPLE}\nchangetype: add\nobjectClass: user\nsAMAccountName: bare\n`);
		expect(demo.directory.get("bare")?.attributes.get("userAccountControl")).toEqual(["546"]);
		demo.directory.delete("bare");
	});

	it("ldapmodify is refused to an account that may only read", async () => {
		const input = `dn: CN=X,${PEOPLE}\nchangetype: add\nobjectClass: contact\n`;
		await expect(command("ldapmodify", as(demo.bindUser, demo.bindPassword), { input })).rejects.toThrow("Insufficient access (50)");
	});

	it("ldapdelete takes a tree away when it says so", async () => {
		await modify(
			`dn: OU=Tree,${BASE}\nchangetype: add\nobjectClass: organizationalUnit\n\ndn: CN=Leaf,OU=Tree,${BASE}\nchangetype: add\nobjectClass: contact\n`,
		);
		const remove = (...args: string[]) => command("ldapdelete", [...as(demo.admin.user, demo.admin.password), ...args, `OU=Tree,${BASE}`]);
		await expect(remove()).rejects.toThrow("Operation not allowed on non-leaf (66)");
		await remove("-e", "!1.2.840.113556.1.4.805");
		expect(demo.directory.get(`OU=Tree,${BASE}`)).toBeUndefined();
	});

	it("ldapwhoami and ldapcompare get an answer", async () => {
		const { stdout } = await command("ldapwhoami", as(demo.bindUser, demo.bindPassword));
		expect(stdout.toString()).toContain("svc-dirsyncd");
		// Its exit code is the result code, and compareTrue is 6.
		const compared = command("ldapcompare", [...as(demo.bindUser, demo.bindPassword), PEOPLE, "ou:people"]);
		await expect(compared).rejects.toThrow("TRUE");
	});
});

describe("ldapts on the demo directory", () => {
	const withClient = async <T>(work: (client: Client) => Promise<T>, url = demo.url): Promise<T> => {
		const client = new Client({ url, timeout: 10_000 });
		try {
			await client.bind(demo.bindUser, demo.bindPassword);
			return await work(client);
		} finally {
			await client.unbind();
		}
	};

	it("reads everybody in pages, with binary attributes as bytes", async () => {
		const { searchEntries } = await withClient((client) =>
			client.search(PEOPLE, {
				filter: "(objectClass=user)",
				paged: { pageSize: 50 },
				timeLimit: 0,
				explicitBufferAttributes: ["objectGUID", "objectSid"],
			}),
		);
		expect(searchEntries).toHaveLength(120);
		for (const entry of searchEntries) expect(entry["objectGUID"]).toHaveLength(16);
	});

	it("is told AD's data code for a wrong password", async () => {
		const client = new Client({ url: demo.url });
		await expect(client.bind(demo.bindUser, "wrong")).rejects.toThrow(/data 52e/);
		await client.unbind();
	});

	it("may send a value-less control", async () => {
		const { searchReferences } = await withClient((client) =>
			client.search(BASE, { scope: "sub", filter: "(cn=none)", timeLimit: 0 }, new Control("1.2.840.113556.1.4.1339", { critical: true })),
		);
		expect(searchReferences).toEqual([]);
	});
});

describeWith(["openssl", "ldapsearch"], "the demo directory with a certificate", () => {
	let folder: string;
	let certificates: Certificates;
	let secure: Demo;

	beforeAll(async () => {
		folder = mkdtempSync(path.join(tmpdir(), "demo-tls-"));
		certificates = await makeCertificates(folder, { dns: ["localhost"], ip: "127.0.0.1" });
		const tls = { key: readFileSync(certificates.key), cert: readFileSync(certificates.file("good")), isRequired: true };
		secure = await startDemo({ tls });
	});

	afterAll(async () => {
		await secure.close();
		rmSync(folder, { recursive: true });
	});

	const whoami = (...args: string[]) =>
		command("ldapwhoami", ["-x", "-D", secure.bindUser, "-w", secure.bindPassword, ...args], { env: { LDAPTLS_CACERT: certificates.ca } });

	it("serves LDAPS", async () => {
		expect((await whoami("-H", secure.secureUrl ?? "")).stdout.toString()).toContain("svc-dirsyncd");
	});

	it("serves StartTLS", async () => {
		expect((await whoami("-H", secure.url, "-ZZ")).stdout.toString()).toContain("svc-dirsyncd");
	});

	it("refuses a password in the clear when it was told to, with code 8", async () => {
		await expect(whoami("-H", secure.url)).rejects.toThrow("Strong(er) authentication required (8)");
	});

	it("takes a password as AD does, quoted in UTF-16, over TLS only", async () => {
		const value = Buffer.from('"Neues-Wort-1"', "utf16le").toString("base64");
		const input = `dn: CN=svc-dirsyncd,CN=Users,${BASE}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: ${value}\n`;
		const change = (url: string, admin: Demo) =>
			command("ldapmodify", ["-x", "-H", url, "-D", admin.admin.user, "-w", admin.admin.password], {
				input,
				env: { LDAPTLS_CACERT: certificates.ca },
			});
		await expect(change(demo.url, demo)).rejects.toThrow("Server is unwilling to perform (53)");
		await change(secure.secureUrl ?? "", secure);
		await expect(whoami("-H", secure.secureUrl ?? "")).rejects.toThrow("data 52e");
		const { stdout } = await command("ldapwhoami", ["-x", "-D", secure.bindUser, "-w", "Neues-Wort-1", "-H", secure.secureUrl ?? ""], {
			env: { LDAPTLS_CACERT: certificates.ca },
		});
		expect(stdout.toString()).toContain("svc-dirsyncd");
		secure.directory.setPassword(secure.bindUser, secure.bindPassword);
	});

	it("survives a client that breaks the handshake off", async () => {
		const port = Number(new URL(secure.secureUrl ?? "").port);
		const socket = connectTls({ host: "127.0.0.1", port, ca: "", rejectUnauthorized: true });
		const why = await makeWire(socket).over;
		expect(why).not.toBe("");
		expect((await whoami("-H", secure.secureUrl ?? "")).stdout.toString()).toContain("svc-dirsyncd");
	});
});
