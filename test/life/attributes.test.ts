import { afterAll, beforeAll, expect, it } from "vitest";
import { type Demo, startDemo } from "../../src/demo/demo.ts";
import { directoryOnDemo } from "../contract/demo.ts";
import { addPerson } from "../contract/population.ts";
import { type Keeper, openKeeper } from "./engine.ts";

let demo: Demo;
let keeper: Keeper;
beforeAll(async () => {
	demo = await startDemo();
	const directory = directoryOnDemo(demo);
	const base = `OU=Staff,${demo.baseDn}`;
	await directory.add(base, { objectClass: "organizationalUnit" });
	const boss = await addPerson(directory, "Boss", base, "boss");
	for (let number = 1; number <= 40; number++) {
		const proxyAddresses = [`SMTP:p${number}@corp.example.com`, `smtp:alias${number}@corp.example.com`];
		await addPerson(directory, `Person ${number}`, base, `p${number}`, { manager: boss, proxyAddresses });
	}
	// Everybody is to be updated at once, which the gate would hold.
	keeper = openKeeper(directory, { base, more: "limits: { update: { percent: none } }" });
	await keeper.sync("full");
});
afterAll(async () => {
	keeper.close();
	await demo.close();
});

const staff = (name: string) => `CN=${name},OU=Staff,${demo.baseDn}`;

it("an alias that one person loses is an update like any other, and no doubt about rights", async () => {
	await directoryOnDemo(demo).modify(staff("Person 3"), { proxyAddresses: ["SMTP:p3@corp.example.com"] });
	expect(await keeper.sync("delta")).toMatchObject({ outcome: "succeeded", sealed: true, updated: 1, held: 0 });
	await directoryOnDemo(demo).modify(staff("Person 4"), { proxyAddresses: [], mail: [] });
	expect(await keeper.sync("delta")).toMatchObject({ outcome: "succeeded", sealed: true, updated: 1, held: 0 });
});

it("a manager of everybody who is deleted ends one account, and takes nobody's word away", async () => {
	await directoryOnDemo(demo).remove(staff("Boss"));
	expect(await keeper.sync("full")).toMatchObject({ outcome: "succeeded", sealed: true, disabled: 1, updated: 40, held: 0 });
});
