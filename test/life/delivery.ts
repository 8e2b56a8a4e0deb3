import { expect, it } from "vitest";
import type { AccountView } from "../../src/store/views.ts";
import type { Directory } from "../contract/directory.ts";
import { changeSomeGroup } from "../contract/model-groups.ts";
import { placesOf, populate } from "../contract/population.ts";
import { startScimmy } from "../support/scimmy.ts";
import { makeHappenings, makeRandom } from "./changes.ts";
import { openKeeper } from "./engine.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/**
 * A directory on one side, a SCIM server from another hand on the other: joiners, movers, leavers and their groups arrive, and the
 * server's own listing is what `accounts` shows.
 */
export function deliveryContract(directory: () => Directory): void {
	const most = Number(process.env["DIRSYNCD_TEST_LIFE"] ?? 20);
	const seed = Number(process.env["DIRSYNCD_TEST_SEED"] ?? 3);

	it(`brings ${most} random changes of people and groups to a SCIM server, and leaves nothing out (seed ${seed})`, {
		timeout: 60_000 + most * 3_000,
	}, async () => {
		await populate(directory());
		const places = placesOf(directory());
		const server = await startScimmy();
		const target = { name: "gateway", type: "scim", url: server.url, auth: { bearer: server.token } };
		const keeper = openKeeper(directory(), {
			...{ base: places.people, exclude: [places.excluded] },
			source: { groups: { base: places.groups } },
			more: `limits: { disable: { count: none, percent: none }, update: { percent: none } }\ntargets: ${JSON.stringify([target])}\n`,
		});
		const random = makeRandom(seed);
		const happen = makeHappenings(directory(), places, random);
		const groupPlaces = { root: places.groups, inside: places.groups, outside: places.groups };
		const members = Array.from({ length: 12 }, (_, number) => `CN=Ordinary ${number},${places.people}`);
		let memberships = 0;
		try {
			expect(await keeper.sync("full")).toMatchObject({ outcome: "succeeded", pending: 0 });
			for (let change = 0; change < most; change++) {
				const isOfGroups = random() < 0.4;
				const { what, isDeletion } = isOfGroups
					? {
							what: await changeSomeGroup(directory(), groupPlaces, members, (below) => Math.floor(random() * below), change),
							isDeletion: true,
						}
					: await happen();
				const report = await keeper.sync(isDeletion ? "full" : "auto");
				expect(report, what).toMatchObject({ outcome: "succeeded", pending: 0 });
				const accounts = [...keeper.accounts().values()];
				for (const { groups } of accounts) memberships += groups.length;
				expect(listed(server), what).toEqual(new Map(accounts.map((view) => [view.anchor, shown(view, accounts)])));
			}
			expect(memberships).toBeGreaterThan(0);
		} finally {
			await keeper.close();
			await server.close();
		}
	});
}

/** What our own listing says of an account, in the server's words. */
function shown({ account, groups }: AccountView, all: readonly AccountView[]): object {
	const { userName, displayName, name, emails, active, title, department, phoneNumbers, manager, employeeNumber } = account;
	// Whoever has no account has no id at the server either.
	const isThere = manager !== undefined && all.some(({ anchor }) => anchor === manager);
	return known({
		...{ userName, displayName, name, emails, active, title, department, phoneNumbers, employeeNumber },
		...{ manager: isThere ? manager : undefined, groups: [...groups].sort() },
	});
}

/** What the server itself has, by externalId. */
function listed({ users, groups }: Pick<Awaited<ReturnType<typeof startScimmy>>, "users" | "groups">): Map<unknown, object> {
	const groupsOf = (id: string): unknown[] =>
		[...groups.values()].filter((group) => (group["members"] as { value: string }[] | undefined)?.some(({ value }) => value === id));
	return new Map(
		[...users.values()].map((user) => {
			const { userName, displayName, name, emails, active, title, phoneNumbers } = user as Record<string, unknown>;
			const { department, employeeNumber, manager } = (user[enterprise] ?? {}) as Record<string, unknown>;
			const managerId = (manager as { value?: string } | undefined)?.value;
			const groupNames = groupsOf(user.id).map((group) => (group as { displayName: string }).displayName);
			return [
				user["externalId"],
				known({
					...{ userName, displayName, name: named(name), emails: plain(emails), active, title, department, employeeNumber },
					...{ phoneNumbers: plain(phoneNumbers), manager: managerId && users.get(managerId)?.["externalId"], groups: groupNames.sort() },
				}),
			];
		}),
	);
}

/** scimmy adds what it makes of the parts. */
function named(name: unknown): unknown {
	if (name === undefined) return undefined;
	const { formatted: _, ...rest } = name as Record<string, unknown>;
	return rest;
}

function plain(values: unknown): unknown {
	return (values as object[] | undefined)?.map((value) => known(value as Record<string, unknown>));
}

function known(values: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
