import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Account } from "../../../src/core/account.ts";
import { type Connection, openEmpty } from "../../../src/store/database.ts";
import { command } from "../../support/command.ts";
import { textOf as firstOf, parseLdif, textsOf } from "../../support/ldif.ts";
import { describeWith } from "../../support/require.ts";
import { anna, applyGroup, delivery, finish, groupDelivery, ldif, never, openChanges, openState } from "./files.ts";

describeWith(["slapd"], "OpenLDAP, with its own schema and checks, takes in LDIF", () => {
	let home: string;
	let db: Connection;
	let server: ChildProcess;
	beforeEach(async () => {
		home = mkdtempSync(path.join(tmpdir(), "dirsyncd-ldif-"));
		db = openEmpty();
		mkdirSync(at("data"));
		const schema = ["core", "cosine", "inetorgperson"].map((name) => `include /etc/ldap/schema/${name}.schema`);
		const database = ["database mdb", 'suffix "dc=example,dc=test"', `rootdn ${root}`, "rootpw secret", `directory ${at("data")}`];
		writeFileSync(at("slapd.conf"), `${[...schema, "modulepath /usr/lib/ldap", "moduleload back_mdb", ...database].join("\n")}\n`);
		// A copy: where Debian's AppArmor profile is in force, /usr/sbin/slapd may not read here.
		copyFileSync((await command("sh", ["-c", "command -v slapd"])).stdout.toString().trim(), at("slapd"));
		server = spawn("setpriv", ["--pdeathsig", "KILL", at("slapd"), "-d", "0", "-f", at("slapd.conf"), "-h", url()], { stdio: "ignore" });
		const top = ["dn: dc=example,dc=test\nobjectClass: domain", "dn: ou=people,dc=example,dc=test\nobjectClass: organizationalUnit"];
		writeFileSync(at("top.ldif"), `${top.join("\n\n")}\n`);
		await untilServed(() => command("ldapadd", [...signIn(), "-f", at("top.ldif")]));
	});
	afterEach(async () => {
		db.close();
		const ended = once(server, "exit");
		server.kill();
		await ended;
		rmSync(home, { recursive: true });
	});

	const root = "cn=root,dc=example,dc=test";
	const at = (name: string) => path.join(home, name);
	const url = () => `ldapi://${encodeURIComponent(at("socket"))}`;
	const signIn = () => ["-H", url(), "-x", "-D", root, "-w", "secret"];
	const kept = async () => {
		const { stdout } = await command("ldapsearch", [...signIn(), "-LLL", "-b", "dc=example,dc=test"]);
		return new Map(parseLdif(stdout.toString()).map((record) => [record.dn.toLowerCase(), record]));
	};

	const odd: Account = { ...anna, userName: '#a, "b"+c ', title: "é".repeat(100), phoneNumbers: [{ type: "work", value: "+46 8 1" }] };
	const bob: Account = { userName: "bob", active: false, manager: "1" as never };

	it("as a whole state", async () => {
		const target = openState(db, at("all.ldif"), ldif);
		await target.apply([delivery("1", odd), delivery("2", bob)], never);
		await applyGroup(target, groupDelivery("g1", "Sales, EU", ["1", "2"]));
		await applyGroup(target, groupDelivery("g2", "Empty", []));
		await finish(target);
		await command("ldapadd", [...signIn(), "-f", at("all.ldif")]);
		const found = await kept();
		const person = [...found.values()].find((record) => firstOf(record, "uid") === odd.userName);
		expect(person && [firstOf(person, "title"), firstOf(person, "telephoneNumber"), firstOf(person, "cn")]).toEqual([
			odd.title,
			"+46 8 1",
			"Anna Åkesson",
		]);
		expect(firstOf(found.get("uid=bob,ou=people,dc=example,dc=test") as never, "manager")).toBe(person?.dn);
		expect([...found.values()].filter((record) => textsOf(record, "objectClass").includes("groupOfNames"))).toHaveLength(2);
	});

	it("as changes one after the other: who is renamed, leaves groups, is disabled and deleted, and what they are called", async () => {
		const target = openChanges(db, at("changes.ldif"), ldif);
		await target.apply([delivery("1", odd), delivery("2", bob), delivery("3", { ...bob, userName: "carl" })], never);
		await applyGroup(target, groupDelivery("g1", "Sales", ["1", "2"]));
		await applyGroup(target, groupDelivery("g2", "Gone", ["3"]));
		await target.apply([delivery("1", { ...anna, active: false, title: "Dr." }), delivery("2", undefined)], never);
		await applyGroup(target, groupDelivery("g1", "Sales & more", ["3"], ["2"]));
		await applyGroup(target, groupDelivery("g2", undefined, []));
		await applyGroup(target, groupDelivery("g3", "Left by all", ["3"]));
		await applyGroup(target, groupDelivery("g3", "Left by all", [], ["3"]));
		await command("ldapmodify", [...signIn(), "-f", at("changes.ldif")]);
		const found = await kept();
		expect([...found.keys()].filter((dn) => /^(uid|cn)=/.test(dn)).sort()).toEqual([
			"cn=left by all,ou=people,dc=example,dc=test",
			"cn=sales & more,ou=people,dc=example,dc=test",
			"uid=anna@corp.example,ou=people,dc=example,dc=test",
			"uid=carl,ou=people,dc=example,dc=test",
		]);
		const person = found.get("uid=anna@corp.example,ou=people,dc=example,dc=test") as never;
		expect([textsOf(person, "uid"), firstOf(person, "title"), firstOf(person, "description")]).toEqual([
			["anna@corp.example"],
			"Dr.",
			"disabled",
		]);
		expect(textsOf(person, "telephoneNumber")).toEqual([]);
		expect(textsOf(found.get("cn=sales & more,ou=people,dc=example,dc=test") as never, "member").sort()).toEqual([
			"",
			"uid=anna@corp.example,ou=people,dc=example,dc=test",
			"uid=carl,ou=people,dc=example,dc=test",
		]);
	});
});

/** The server is another process, and takes a while to begin. */
async function untilServed(work: () => Promise<unknown>): Promise<void> {
	for (let tries = 1; ; tries++) {
		try {
			await work();
			return;
		} catch (error) {
			if (tries === 100) throw error;
			await wait(50);
		}
	}
}
