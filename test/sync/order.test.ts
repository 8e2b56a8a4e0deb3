import fc from "fast-check";
import { expect, it } from "vitest";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";

it("the order in which entries are read makes no difference, neither to accounts nor to a plan's name", async () => {
	const order = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 7 });
	await fc.assert(
		fc.asyncProperty(order, order, fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 7, maxLength: 7 }), async (one, other, names) => {
			const outcomes = [];
			for (const sequence of [one, other]) {
				const fake = makeFakeSource();
				for (const who of sequence) {
					const cn = `P${who}`;
					const manager = who > 1 ? [`CN=P${who - 1},${PEOPLE}`] : [];
					fake.put({
						anchor: fake.anchorOf(who),
						cn,
						where: PEOPLE,
						standing: who % 3 === 0 ? "disabled" : "enabled",
						// Some names are wanted twice: who gets them must not depend on the order either.
						attributes: { cn: [cn], upn: [`n${names[who - 1]}@corp`], manager },
					});
				}
				const harness = openHarness(fake);
				const { name } = await harness.plan("full");
				await harness.sync("full");
				outcomes.push({
					name,
					accounts: await harness.accounts(),
					aside: harness.views((views) => views.quarantine().map(({ anchor }) => anchor)).sort(),
				});
				harness.close();
			}
			expect(outcomes[0]).toEqual(outcomes[1]);
		}),
		{ numRuns: 30 },
	);
});
