import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { makeScimTarget } from "../../src/target/scim/scim.ts";
import { type ScimDouble, startScimDouble } from "../support/scim-double.ts";
import { makeTime, scimOptions } from "../support/scim-options.ts";
import { startScimmy } from "../support/scimmy.ts";
import { targetContract } from "./target.ts";

// Not without paths: it adds to a list what should replace it, when the operation has no path.
describe.each(["path", "put"] as const)("a SCIM server from another hand (scimmy), in the dialect %s", (dialect) => {
	let server: Awaited<ReturnType<typeof startScimmy>>;
	beforeAll(async () => {
		server = await startScimmy();
	});
	afterAll(() => server.close());
	beforeEach(() => {
		server.users.clear();
		server.groups.clear();
	});
	const auth = { kind: "bearer", token: () => server.token } as const;
	// It makes an object of each account for each page of them: 2,500 take it a minute.
	targetContract(() => makeScimTarget(scimOptions(server.url, { auth, dialect }), makeTime()), 250);
});

describe.each([
	{ server: "as the RFCs have it", dialect: "path", faults: {} },
	{ server: "as the RFCs have it", dialect: "no-path", faults: {} },
	{ server: "as the RFCs have it", dialect: "put", faults: {} },
	{ server: "that wants versions", dialect: "path", faults: { etag: "wanted" } },
	{ server: "without PATCH, that minds versions", dialect: "path", faults: { patch: "405", etag: "kept" } },
	{ server: "without documents that passes over filters", dialect: "path", faults: { documents: "none", filters: "passed over" } },
	{ server: "that keeps a member twice that is added twice", dialect: "path", faults: { isDuplicatingMembers: true } },
	{ server: "that cannot be asked for parts", dialect: "path", faults: { isProjecting: false } },
	{ server: "that shows nothing when it creates", dialect: "path", faults: { creates: "without a body" } },
] as const)("a strict SCIM server $server, in the dialect $dialect", ({ dialect, faults }) => {
	let server: ScimDouble;
	beforeAll(async () => {
		server = await startScimDouble(faults);
	});
	afterAll(() => server.close());
	beforeEach(() => server.reset());
	targetContract(() => makeScimTarget(scimOptions(server.url, { dialect }), makeTime()), 250);
});
