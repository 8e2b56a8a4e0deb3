import { expect, it } from "vitest";
import { textOf } from "./ldif.ts";
import { describeWith } from "./require.ts";
import { useSamba } from "./samba.ts";

describeWith(["samba"], "the domain controller of the tests", () => {
	const samba = useSamba();

	it("serves what samba's own tools write", async () => {
		await samba().tool("ou", "create", "OU=People");
		await samba().addPeople(120, `OU=People,${samba().baseDn}`);
		expect(await samba().ldapsearch(samba().baseDn, "(sAMAccountName=p119)", ["mail"])).toHaveLength(1);
		await samba().tool("user", "disable", "p7");
		const [seven] = await samba().ldapsearch(samba().baseDn, "(sAMAccountName=p7)", ["userAccountControl"]);
		expect(Number(textOf(seven as never, "useraccountcontrol")) & 2).toBe(2);
	});

	it("forgets what came after a snapshot when it is restored", async () => {
		const restore = await samba().snapshot();
		await samba().tool("user", "create", "late", "Passw0rd.late");
		expect(await samba().ldapsearch(samba().baseDn, "(sAMAccountName=late)", ["cn"])).toHaveLength(1);
		await restore();
		expect(await samba().ldapsearch(samba().baseDn, "(sAMAccountName=late)", ["cn"])).toHaveLength(0);
	});

	it("comes back after a kill", async () => {
		await samba().kill();
		await expect(samba().ldapsearch(samba().baseDn, "(sAMAccountName=p1)", ["cn"])).rejects.toThrow("Can't contact");
		await samba().start();
		expect(await samba().ldapsearch(samba().baseDn, "(sAMAccountName=p1)", ["cn"])).toHaveLength(1);
	});
});
