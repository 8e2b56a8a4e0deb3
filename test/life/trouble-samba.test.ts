import { afterAll, beforeAll, expect, it } from "vitest";
import { ordinaryCount, placesOf, populate } from "../contract/population.ts";
import { directoryOnSamba } from "../contract/samba.ts";
import { type Record, textOf } from "../support/ldif.ts";
import { describeWith } from "../support/require.ts";
import { useSamba } from "../support/samba.ts";
import { type Keeper, openKeeper } from "./engine.ts";

describeWith(["samba"], "a Samba domain controller in trouble ends nobody's account", () => {
	const samba = useSamba();
	const places = () => placesOf(directoryOnSamba(samba()));
	let keeper: Keeper;
	let sid: string;

	beforeAll(async () => {
		const directory = directoryOnSamba(samba());
		await populate(directory);
		const [account] = await samba().ldbsearch("(sAMAccountName=svc-dirsyncd)", ["objectSid"]);
		sid = textOf(account as Record, "objectSid") as string;
		const timeouts = { connect: "2s", bind: "2s", request: "2s" };
		keeper = openKeeper(directory, { base: places().people, source: { pageSize: 10, timeouts } });
		const first = await keeper.sync("full");
		expect(first.outcome).toBe("succeeded");
		expect(first.created).toBeGreaterThan(ordinaryCount);
	}, 120_000);
	afterAll(() => keeper.close());

	const active = () => [...keeper.accounts().values()].filter(({ account }) => account.active).map(({ account }) => account.userName);

	/** Lets trouble come, in the middle of a run or before it, and go again. */
	async function inTrouble(
		trouble: { readonly when: "before" | "reading"; begin(): Promise<void> | void; end(): Promise<void> | void },
		mode: "full" | "delta",
	) {
		const before = active().sort();
		let begun: Promise<void> | undefined;
		const begin = () => {
			begun ??= Promise.resolve(trouble.begin());
		};
		if (trouble.when === "before") {
			begin();
			await begun;
		}
		const report = await keeper.sync(mode, ({ stage, done }) => {
			if (stage === "reading" && done > 0) begin();
		});
		await begun;
		expect(active().sort(), JSON.stringify(report)).toEqual(before);
		expect(report.disabled + report.deleted).toBe(0);
		await trouble.end();
		const healed = await keeper.sync("full");
		expect(healed, JSON.stringify(healed)).toMatchObject({ outcome: "succeeded", sealed: true, disabled: 0, deleted: 0, held: 0 });
		expect(active().sort()).toEqual(before);
		return report;
	}

	it.each([
		{ what: "is down", when: "before" },
		{ what: "is killed in the middle of a reading", when: "reading" },
	] as const)("when it $what", { timeout: 60_000 }, async ({ when }) => {
		const report = await inTrouble({ when, begin: () => samba().kill(), end: () => samba().start() }, "full");
		expect(report.outcome).toBe("failed");
		expect(report.error?.message).toContain(samba().host);
	});

	it.each([
		{ what: "stops answering", when: "before" },
		{ what: "stops answering in the middle of a reading", when: "reading" },
	] as const)("when it $what", { timeout: 60_000 }, async ({ when }) => {
		const report = await inTrouble({ when, begin: () => samba().pause(), end: () => samba().resume() }, "full");
		expect(report.outcome).toBe("failed");
		expect(report.error?.message).toContain(samba().host);
	});

	it.each(["full", "delta"] as const)(
		"when the service account may see nobody any more, in a %s reading",
		{ timeout: 60_000 },
		async (mode) => {
			let giveBack = async () => {};
			const begin = async () => {
				giveBack = await samba().grant(places().people, `(D;CI;RPLCLO;;;${sid})`);
			};
			const report = await inTrouble({ when: "before", begin, end: () => giveBack() }, mode);
			if (mode === "full") expect(report.sealed).toBe(false);
		},
	);

	it("when the service account may not see one of the containers any more", { timeout: 60_000 }, async () => {
		let giveBack = async () => {};
		const begin = async () => {
			giveBack = await samba().grant(places().berlin, `(D;CI;RPLCLO;;;${sid})`);
		};
		await inTrouble({ when: "before", begin, end: () => giveBack() }, "full");
	});

	it.each([
		{ attribute: "userAccountControl", schemaId: "bf967a68-0de6-11d0-a285-00aa003049e2" },
		{ attribute: "mail", schemaId: "bf967961-0de6-11d0-a285-00aa003049e2" },
		{ attribute: "sAMAccountType", schemaId: "6e7b626c-64f2-11d0-afd2-00c04fd930c9" },
		{ attribute: "objectGUID", schemaId: "bf9679e7-0de6-11d0-a285-00aa003049e2" },
	])("when $attribute cannot be read any more", { timeout: 60_000 }, async ({ attribute, schemaId }) => {
		let giveBack = async () => {};
		const shown = async () => {
			const found = await samba().ldapsearch(places().people, "(objectClass=user)", [attribute], samba().reader);
			return found.filter(({ attributes }) => attributes.has(attribute.toLowerCase())).length;
		};
		const begin = async () => {
			expect(await shown()).toBeGreaterThan(ordinaryCount);
			giveBack = await samba().denyOnEach(places().people, "(objectClass=user)", schemaId, sid);
			expect(await shown()).toBe(0);
		};
		await inTrouble({ when: "before", begin, end: () => giveBack() }, "full");
	});

	it("when the service account's password was changed", { timeout: 60_000 }, async () => {
		const { user, password } = samba().reader;
		const set = async (to: string) => {
			await samba().tool("user", "setpassword", user.split("@")[0] as string, `--newpassword=${to}`);
		};
		const report = await inTrouble({ when: "before", begin: () => set("Passw0rd.other"), end: () => set(password) }, "full");
		expect(report.error).toMatchObject({ code: "SOURCE_REFUSED" });
	});

	it("when it was restored from an old copy", { timeout: 60_000 }, async () => {
		const restore = await samba().snapshot();
		await samba().modify(`dn: CN=Ordinary 3,${places().people}\nchangetype: modify\nreplace: department\ndepartment: Later\n`);
		await keeper.sync("delta");
		const report = await inTrouble({ when: "before", begin: restore, end: () => {} }, "delta");
		expect(report.mode).toBe("full");
		expect(report.fullBecause).toMatch(/went back/);
	});
});
