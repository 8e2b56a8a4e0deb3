import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { addPerson, placesOf } from "../contract/population.ts";
import { anchorOf } from "../contract/reader.ts";
import { directoryOnSamba } from "../contract/samba.ts";
import { type Record, textOf } from "../support/ldif.ts";
import { type Controller, useTwoControllers } from "../support/two-controllers.ts";
import { type Keeper, type KeeperSettings, openKeeper } from "./engine.ts";

/** Who is there from the start. */
export const staff = ["Ada", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus"] as const;

/**
 * An engine on two domain controllers, for the tests of the enclosing `describe`: it has read both when they begin,
 * and each test begins with both of them knowing all that the other one does.
 */
export function useEither() {
	const two = useTwoControllers();
	const places = () => placesOf(directoryOnSamba(two().dc1));
	let keeper: Keeper;

	const settings = (): KeeperSettings => ({
		base: places().people,
		exclude: [places().excluded],
		source: {
			urls: [two().dc1.ldapUrl, two().dc2.ldapUrl],
			pageSize: 2,
			timeouts: { connect: "1s", bind: "5s", request: "2s" },
		},
		more: "limits: { disable: { count: none, percent: none }, update: { percent: none } }\n",
	});

	/** A run that can reach this one alone. A later one that can reach both tries this one first. */
	const syncFrom = async (controller: Controller, mode: "full" | "auto" = "auto", by = keeper) => {
		const { dc1, dc2 } = two();
		const other = controller === dc1 ? dc2 : dc1;
		await other.cutOff();
		try {
			const report = await by.sync(mode);
			expect(report.server, JSON.stringify(report)).toBe(controller.ldapUrl);
			return report;
		} finally {
			await other.reconnect();
		}
	};

	const replicateBoth = async (): Promise<void> => {
		const { dc1, dc2, replicate } = two();
		await Promise.all([replicate(dc1, dc2), replicate(dc2, dc1)]);
	};

	beforeAll(async () => {
		const { dc1, dc2 } = two();
		const directory = directoryOnSamba(dc1);
		for (const dn of Object.values(places())) await directory.add(dn, { objectClass: "organizationalUnit" });
		for (const name of staff) await addPerson(directory, name, places().people, name.toLowerCase());
		await addPerson(directory, "Ida", places().second, "ida");
		await replicateBoth();
		keeper = openKeeper(directory, settings());
		expect(await syncFrom(dc1)).toMatchObject({ mode: "full", outcome: "succeeded", created: staff.length });
		expect(await syncFrom(dc2)).toMatchObject({ mode: "full", outcome: "succeeded", created: 0, updated: 0, disabled: 0, held: 0 });
	}, 180_000);
	afterAll(async () => keeper?.close());
	beforeEach(replicateBoth, 60_000);

	return {
		two,
		places,
		settings,
		syncFrom,
		replicateBoth,
		keeper: () => keeper,
		/** The account of one who was added by the test. */
		account: (name: string, by = keeper) => {
			const userName = `${name.toLowerCase()}@${two().dc1.realm}`;
			return [...by.accounts().values()].find(({ account }) => account.userName === userName)?.account;
		},
		/** Anchors of those who may sign in, by what this one says. */
		activeAt: async (controller: Controller): Promise<ReadonlySet<string>> => {
			const names = ["objectGUID", "userAccountControl", "accountExpires"];
			const found = await directoryOnSamba(controller).search(places().people, "(&(objectCategory=person)(objectClass=user))", names);
			const isActive = (record: Record) => {
				const expires = BigInt(textOf(record, "accountExpires") ?? "0");
				const isExcluded = record.dn.endsWith(places().excluded);
				return !isExcluded && (Number(textOf(record, "userAccountControl")) & 2) === 0 && (expires === 0n || expires > fileTimeNow());
			};
			return new Set(found.filter(isActive).map(anchorOf));
		},
	};
}

function fileTimeNow(): bigint {
	return (BigInt(Date.now()) + 11_644_473_600_000n) * 10_000n;
}
