import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";
import { startScimmy } from "../support/scimmy.ts";
import { targetContract } from "./target.ts";

describe("a SCIM server from another hand (scimmy)", () => {
	let server: Awaited<ReturnType<typeof startScimmy>>;
	beforeAll(async () => {
		server = await startScimmy();
	});
	afterAll(() => server.close());
	beforeEach(() => {
		server.users.clear();
		server.groups.clear();
	});
	// It makes an object of each account for each page of them: 2,500 take it a minute.
	targetContract(() => makeScimTarget(scimOptions(server.url, { auth: { kind: "bearer", token: () => server.token } }), makeTime()), 250);
});
