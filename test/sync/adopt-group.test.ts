import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import { makeFakeSource } from "../support/fake-source.ts";
import { openHarness } from "../support/harness.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";

const PEOPLE = "OU=People,DC=corp,DC=example,DC=test";
let server: ScimDouble;
beforeAll(async () => {
	server = await startScimDouble();
});
afterAll(() => server.close());
beforeEach(() => server.reset());

function start(adopt: "never" | "exact" | "report") {
	const fake = makeFakeSource();
	fake.settings.groups = "all";
	const put = (who: number, name: string): void =>
		fake.put({
			...{ anchor: fake.anchorOf(who), cn: name, where: PEOPLE, standing: "enabled" },
			attributes: { cn: [name], upn: [`${name}@corp.example`] },
		});
	const target = makeScimTarget(scimOptions(server.url, { name: "remote" }), makeTime());
	return { fake, put, harness: openHarness(fake, { adopt, targets: (local) => [local, target] }) };
}

describe("a group that somebody else keeps there by an externalId of theirs", () => {
	it("is not adopted, as an account is not", async () => {
		const { fake, put, harness } = start("exact");
		put(1, "anna");
		server.groups.set("g-theirs", {
			...{ id: "g-theirs", schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"] },
			...{ displayName: "Admins", externalId: "of-another-system" },
		});
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Admins", isInScope: true, members: [fake.anchorOf(1)] });
		await harness.sync("full");
		harness.close();
		expect(server.groups.get("g-theirs")?.["members"]).toBeUndefined();
	});

	it("or keeps without one, gets ours when it is adopted", async () => {
		const { fake, put, harness } = start("exact");
		put(1, "anna");
		server.groups.set("g-there", { id: "g-there", schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"], displayName: "Admins" });
		fake.putGroup({ anchor: fake.anchorOf(1001), cn: "Admins", isInScope: true, members: [fake.anchorOf(1)] });
		await harness.sync("full");
		harness.close();
		expect(server.groups.get("g-there")).toMatchObject({ externalId: fake.anchorOf(1001) });
	});
});
