import { EventEmitter, once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Demo, startDemo } from "../../../src/demo/demo.ts";
import { guidOctets } from "../../../src/source/active-directory/guid.ts";
import { makeSifter } from "../../../src/source/active-directory/notices.ts";
import { encodeEntry } from "../../../src/source/ldap/wire/entry.ts";
import { directoryOnDemo } from "../../contract/demo.ts";
import { read, sourceOn } from "../../contract/reader.ts";
import { fakeSource, guidOf, impatient, useFakeServers } from "../../support/fake-directory.ts";
import type { Came, Reply } from "../../support/fake-server.ts";
import { openWatch } from "../../support/watches.ts";

const notification = "1.2.840.113556.1.4.528";
const domain = "DC=corp,DC=example,DC=test";
const serve = useFakeServers();

/** What the server is asked for besides what every reading asks: standing searches, and whether the connection lives. */
let asked: EventEmitter;
/** The first asks what the server is, the next whether the searches stand. */
let looks = 0;

beforeEach(() => {
	asked = new EventEmitter();
	looks = 0;
});

const isStanding = ({ controls }: Came): boolean => controls.includes(notification);
const isLook = ({ base, scope }: Came): boolean => base === "" && scope === 0;

/** A server that notifies. `look`: answers the n-th look at its root DSE, true when it did; `stand`: a standing search. */
function notifying(does: { look?: (n: number, reply: Reply) => boolean; stand?: (came: Came, reply: Reply) => void } = {}) {
	return serve({
		people: () => {},
		rootDse: { supportedControl: [notification] },
		other: (came, reply) => {
			if (isStanding(came)) {
				does.stand?.(came, reply);
				asked.emit("stand", reply);
				return true;
			}
			if (!isLook(came)) return false;
			looks++;
			asked.emit("look", looks);
			return does.look?.(looks, reply) ?? false;
		},
	});
}

const watched = (url: string) => fakeSource(url, { watch: true, timeouts: impatient });

describe("a watch", () => {
	it("stands at the root of the domain, and asks nothing of the searches but what tells news from noise", async () => {
		const server = await notifying();
		const watch = await openWatch(watched(server.url));
		watch.stop();
		await watch.ended;
		const [stand, ...more] = server.came.filter(isStanding);
		expect(more).toEqual([]);
		expect(stand).toMatchObject({ base: domain, scope: 2, attributes: ["objectGUID", "objectClass", "uSNChanged"], paged: undefined });
	});

	it("stands for as long as the server answers that it lives, however long nothing changes", async () => {
		const server = await notifying();
		const watch = await openWatch(watched(server.url));
		await new Promise<void>((resolve) => asked.on("look", (n: number) => n === 5 && resolve()));
		expect(watch.wakes()).toBe(1);
		watch.stop();
		expect(await watch.ended).toMatchObject({ code: "CANCELLED" });
	});

	it("is woken by a notice that comes while it asks whether the server lives", async () => {
		const stood = once(asked, "stand");
		const server = await notifying({
			look: (n) => {
				if (n === 3) void stood.then(([reply]) => notice(reply as Reply));
				return n === 3;
			},
		});
		const watch = await openWatch(watched(server.url));
		await watch.next();
		watch.stop();
		await watch.ended;
	});

	it("ends when nothing comes any more over a connection that seems open", async () => {
		const server = await notifying({ look: (n) => n > 2 });
		const watch = await openWatch(watched(server.url));
		expect(await watch.ended).toMatchObject({
			code: "SOURCE_UNREACHABLE",
			message: expect.stringMatching(/^the watch at ldap:.* ended: .* gave no answer within 0.3 s/),
			hint: expect.stringContaining("schedule"),
		});
	});

	it("ends when the server closes the connection", async () => {
		const server = await notifying({
			look: (n, reply) => {
				if (n > 2) reply.cut();
				return n > 2;
			},
		});
		const watch = await openWatch(watched(server.url));
		expect(await watch.ended).toMatchObject({ code: "SOURCE_BROKE", message: expect.stringContaining("closed by the server") });
	});

	it("does not begin with a server that does not notify: it says what to set", async () => {
		const server = await serve({ people: () => {} });
		await expect(openWatch(watched(server.url))).rejects.toMatchObject({
			code: "SOURCE_PROTOCOL",
			message: expect.stringContaining(notification),
			hint: expect.stringContaining("watch: false"),
		});
	});

	it("does without deleted objects where the server does not take both controls together", async () => {
		const server = await notifying({ stand: ({ controls }, reply) => controls.length > 1 && reply.done({ code: 53, message: "both" }) });
		const watch = await openWatch(watched(server.url));
		await new Promise<void>((resolve) => asked.on("look", (n: number) => n === 4 && resolve()));
		watch.stop();
		expect(await watch.ended).toMatchObject({ code: "CANCELLED" });
		expect(server.came.filter(isStanding).map(({ controls }) => controls.length)).toEqual([2, 1]);
	});

	it.each([
		{ code: 53, becomes: "SOURCE_PROTOCOL", says: "unwillingToPerform" },
		{ code: 11, becomes: "SOURCE_LIMIT", says: "adminLimitExceeded" },
		{ code: 0, becomes: "SOURCE_BROKE", says: "stopped telling" },
	])("fails with $becomes when the server ends its search with $says", async ({ code, becomes, says }) => {
		const server = await notifying({ look: (n) => n > 1, stand: (_, reply) => reply.done({ code, message: "no" }) });
		await expect(openWatch(watched(server.url))).rejects.toMatchObject({ code: becomes, message: expect.stringContaining(says) });
	});
});

describe("with two domain controllers, a watch", () => {
	let demos: readonly [Demo, Demo];
	beforeEach(async () => {
		demos = [await startDemo(), await startDemo()];
	});
	afterEach(async () => {
		for (const demo of demos) await demo.close();
	});

	it("goes along when readings are made at the other one again, and is told there", async () => {
		const [first, second] = demos;
		const urls = [first.url, second.url];
		let now = 0;
		const source = sourceOn(directoryOnDemo(first), { watch: true, urls, clock: () => now });
		const isBack = first.faults.set({ kind: "reset", after: 0 }, { when: ({ operation }) => operation === "connect" });
		const watch = await openWatch(source);
		await read(source);
		isBack();
		now = 60 * 60_000; // One that broke is left alone for a while.
		const moved = watch.next();
		await read(source);
		await moved;
		const told = watch.next();
		first.directory.add(`CN=Anna,${first.baseDn}`, { objectClass: "user", sAMAccountName: "anna" });
		await told;
		watch.stop();
		expect(await watch.ended).toMatchObject({ code: "CANCELLED" });
	});

	it("stays where it is while readings are made where they were", async () => {
		const [first] = demos;
		const source = sourceOn(directoryOnDemo(first), { watch: true });
		const watch = await openWatch(source);
		await read(source);
		await read(source);
		expect(watch.wakes()).toBe(1);
		watch.stop();
		await watch.ended;
	});
});

function notice(reply: Reply): void {
	reply.entry(`CN=P1,${domain}`, {
		objectGUID: guidOctets(guidOf(1)) as Uint8Array,
		objectClass: ["top", "person", "user"],
		uSNChanged: "1001",
	});
	reply.flush();
}

describe("of the notices, those are news", () => {
	const since = 1000n;
	let isNews: (raw: Uint8Array) => boolean;
	beforeEach(() => {
		isNews = makeSifter(since);
	});

	const person = ["top", "person", "organizationalPerson", "user"];
	const raw = (n: number, classes: readonly string[], usn?: string): Uint8Array =>
		encodeEntry(`CN=N${n},${domain}`, [
			{ description: "objectClass", values: classes.map((name) => Buffer.from(name)) },
			{ description: "objectGUID", values: [guidOctets(guidOf(n)) as Uint8Array] },
			...(usn === undefined ? [] : [{ description: "uSNChanged", values: [Buffer.from(usn)] }]),
		]);

	it.each([
		{ of: "a person", classes: person, news: true },
		{ of: "a group", classes: ["top", "group"], news: true },
		{ of: "an organizational unit, with everybody beneath it", classes: ["top", "organizationalUnit"], news: true },
		{ of: "a container", classes: ["top", "container"], news: true },
		{ of: "a foreign security principal", classes: ["top", "foreignSecurityPrincipal"], news: true },
		{ of: "an object whose class is hidden", classes: [], news: true },
		{ of: "a computer", classes: [...person, "computer"], news: false },
		{ of: "a DNS record", classes: ["top", "dnsNode"], news: false },
		{ of: "a printer", classes: ["top", "leaf", "connectionPoint", "printQueue"], news: false },
	])("of $of: $news", ({ classes, news }) => {
		expect(isNews(raw(1, classes, "1001"))).toBe(news);
	});

	it("not of a logon: it writes to the person and moves no USN", () => {
		expect(isNews(raw(1, person, "900"))).toBe(false);
		expect(isNews(raw(1, person, "1001"))).toBe(true);
		expect(isNews(raw(1, person, "1001"))).toBe(false);
		expect(isNews(raw(2, person, "1001"))).toBe(true);
		expect(isNews(raw(1, person, "1002"))).toBe(true);
	});

	it("those that do not show their USN", () => {
		expect(isNews(raw(1, person))).toBe(true);
		expect(makeSifter(undefined)(raw(1, person, "3"))).toBe(true);
	});
});
