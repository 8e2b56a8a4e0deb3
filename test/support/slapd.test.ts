import { afterAll, beforeAll, expect, it } from "vitest";
import { command } from "./command.ts";
import { parseLdif, textOf } from "./ldif.ts";
import { describeWith } from "./require.ts";
import { type Slapd, startSlapd } from "./slapd.ts";

describeWith(["slapd"], "the OpenLDAP server with AD's names", () => {
	let slapd: Slapd;
	beforeAll(async () => {
		slapd = await startSlapd(1500);
	});
	afterAll(() => slapd.close());

	async function search(...args: string[]) {
		const login = ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", slapd.url, "-D", slapd.reader.user, "-w", slapd.reader.password];
		return parseLdif((await command("ldapsearch", [...login, "-E", "pr=1000/noprompt", ...args])).stdout.toString());
	}

	it("serves its people by pages, a GUID, and their newest changes", async () => {
		expect(await search("-b", slapd.baseDn, "(&(objectCategory=person)(sAMAccountType=805306368))", "cn")).toHaveLength(1500);
		const [root] = await search("-b", "", "-s", "base", "highestCommittedUSN", "dsServiceName");
		expect(textOf(root as never, "highestCommittedUSN")).toBe(String(slapd.highestUsn()));
		expect(await search("-b", textOf(root as never, "dsServiceName") as string, "-s", "base", "invocationId")).toHaveLength(1);

		const before = slapd.highestUsn();
		await slapd.change(100);
		expect(await search("-b", slapd.baseDn, `(uSNChanged>=${before + 1})`, "title")).toHaveLength(100);
		expect(slapd.highestUsn()).toBe(before + 100);
	});
});
