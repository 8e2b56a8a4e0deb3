import { afterEach, beforeEach, expect, it } from "vitest";
import { dnKey } from "../../../src/core/dn.ts";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { read, sourceOn } from "../../contract/reader.ts";

const root = "DC=corp,DC=example,DC=com";
const [outer, inner, other] = ["Outer", "Inner", "Other"].map((name) => `CN=${name},CN=Users,${root}`) as [string, string, string];
const ann = `CN=Ann,CN=Users,${root}`;

let demo: Demo;
beforeEach(async () => {
	demo = await startDemo();
	demo.directory.add(ann, { objectClass: "user", sAMAccountName: "ann" });
	for (const [dn, member] of [
		[inner, ann],
		[outer, inner],
		[other, ann],
	] as const)
		demo.directory.add(dn, { objectClass: "group", sAMAccountName: dn.slice(3, 8), member });
});
afterEach(() => demo.close());

async function protection() {
	const source = sourceOn(directoryOnDemo(demo), { bases: [`CN=Users,${root}`], protect: [outer] });
	return (await read(source)).end.protection;
}

it("a protected group whose groups and members can be seen leaves no question open", async () => {
	const { people, unresolved } = await protection();
	expect(unresolved).toEqual([]);
	expect(people.has(dnKey(ann))).toBe(true);
});

it("a protected group that shows no members protects everybody, also where other groups show theirs", async () => {
	demo.directory.setRights("svc-dirsyncd", { hiddenAttributes: [{ attribute: "member", under: outer }] });
	expect((await protection()).unresolved).toEqual([expect.stringContaining(`"${outer}" shows no members`)]);
});

it("a group within it that shows no members does so too", async () => {
	demo.directory.setRights("svc-dirsyncd", { hiddenAttributes: [{ attribute: "member", under: inner }] });
	expect((await protection()).unresolved).toEqual([expect.stringContaining(`"${inner}" shows no members`)]);
});

it("and a group within it that cannot be seen, or not what it is", async () => {
	const cannotBeSeen = [expect.stringContaining(`"${inner}", a member of the protected group "${outer}", cannot be seen`)];
	demo.directory.setRights("svc-dirsyncd", { hiddenSubtrees: [inner] });
	expect((await protection()).unresolved).toEqual(cannotBeSeen);
	demo.directory.setRights("svc-dirsyncd", { hiddenSubtrees: [], hiddenAttributes: [{ attribute: "objectClass", under: inner }] });
	expect((await protection()).unresolved).toEqual(cannotBeSeen);
});
