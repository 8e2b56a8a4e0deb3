import { afterAll, beforeAll, expect, it } from "vitest";
import { Failure } from "../../../src/core/errors.ts";
import { openConnection } from "../../../src/source/ldap/connection.ts";
import { limitHint } from "../../../src/source/ldap/limits.ts";
import { readAll } from "../../../src/source/ldap/wire/pages.ts";
import { options } from "../../support/connecting.ts";
import { describeWith } from "../../support/require.ts";
import { type SmallSlapd, startSmallSlapd } from "../../support/small-slapd.ts";

describeWith(["slapd"], "a limit of OpenLDAP", () => {
	let slapd: SmallSlapd;
	beforeAll(async () => {
		slapd = await startSmallSlapd({ entries: 700 });
	}, 60_000);
	afterAll(() => slapd.close());

	/** How many entries a paged reading as `sync` finds, or the failure. */
	async function read(pageSize: number): Promise<number | Failure> {
		const { session } = await openConnection(options([slapd.url], { bind: slapd.sync }), new AbortController().signal);
		const request = { base: slapd.baseDn, scope: "sub", filter: { kind: "present", attribute: "sn" }, attributes: ["cn"] } as const;
		try {
			return (await readAll(session, request, { pageSize, unsealed: () => {}, isForeign: () => false })).length;
		} catch (failure) {
			if (failure instanceof Failure) return failure;
			throw failure;
		} finally {
			session.close();
		}
	}

	/** The line for slapd.conf in a hint, as an administrator would copy it. */
	function lineIn(failure: number | Failure): string {
		const line = failure instanceof Failure ? /OpenLDAP: (limits .*?) \(in slapd\.conf/.exec(failure.hint ?? "")?.[1] : undefined;
		if (line === undefined) throw new Error(`no line in ${failure}`);
		return line;
	}

	it("ends a paged reading as a whole at 500, and the line that it names cures it", async () => {
		await slapd.restart({});
		const failure = await read(100);
		expect(failure).toMatchObject({ code: "SOURCE_LIMIT", message: expect.stringContaining("sizeLimitExceeded (4)") });
		expect(lineIn(failure)).toContain(" size=unlimited");
		await slapd.restart({ database: [lineIn(failure)] });
		expect(await read(100)).toBe(700);
	});

	it("of what it looks through is an administrative one, and the line that it names cures it", async () => {
		const everybody = "sizelimit size.soft=unlimited size.hard=unlimited size.unchecked=50";
		await slapd.restart({ database: [everybody] });
		const failure = await read(100);
		expect(failure).toMatchObject({ code: "SOURCE_LIMIT", message: expect.stringContaining("adminLimitExceeded (11)") });
		await slapd.restart({ database: [everybody, lineIn(failure)] });
		expect(await read(100)).toBe(700);
	});

	it("of the size of a page is cured by the same line", async () => {
		const everybody = "sizelimit size.soft=unlimited size.hard=unlimited size.pr=50";
		await slapd.restart({ database: [everybody] });
		const failure = await read(100);
		expect(failure).toMatchObject({ code: "SOURCE_LIMIT" });
		await slapd.restart({ database: [everybody, lineIn(failure)] });
		expect(await read(100)).toBe(700);
	});
});

it.each([
	{
		code: 3,
		account: "cn=sync,dc=x",
		says: ['limits dn.exact="cn=sync,dc=x" time=unlimited', "nsTimeLimit: -1 in the entry cn=sync,dc=x"],
	},
	{ code: 4, account: "cn=sync,dc=x", says: ["nsSizeLimit: -1 and nsPagedSizeLimit: -1 in the entry cn=sync,dc=x", "MaxPageSize"] },
	{ code: 11, account: "cn=sync,dc=x", says: ["nsLookThroughLimit: -1 and nsPagedLookThroughLimit: -1", "MaxResultSetSize"] },
	{ code: 4, account: undefined, says: ['limits dn.exact="DN of the account"', "in the account's entry", "MaxPageSize"] },
] as const)("the hint for limit $code, bound as $account, names $says", ({ code, account, says }) => {
	for (const one of says) expect(limitHint(code, account)).toContain(one);
});

it.each(["svc@corp.example.com", "CORP\\svc"])("the hint for %s is for Active Directory alone: nobody else has such names", (account) => {
	expect(limitHint(3, account)).toContain("MaxQueryDuration");
	expect(limitHint(3, account)).not.toMatch(/OpenLDAP|389/);
});
