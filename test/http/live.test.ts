import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Going } from "../../src/http/look.ts";
import { listen, type News } from "../support/events.ts";
import { adminToken, makeRun, openPageWorld, type PageWorld, viewerToken } from "../support/page-world.ts";

let world: PageWorld;
beforeEach(async () => {
	world = await openPageWorld();
});
afterEach(() => world.server.close(0));

const reading = (differences: Partial<Going> = {}): Going => ({
	...{ source: "corp", stage: "reading", done: 12_400, of: 100_000, since: world.clock - 3000 },
	...differences,
});

async function signIn(token = adminToken): Promise<string> {
	const { origin } = new URL(world.server.url);
	const body = new URLSearchParams({ token });
	const answer = await fetch(new URL("/login", world.server.url), { method: "POST", redirect: "manual", headers: { origin }, body });
	return answer.headers.get("set-cookie")?.split(";")[0] ?? "";
}

async function next(told: AsyncGenerator<News>): Promise<News | "it is over"> {
	const { value, done } = await told.next();
	return done === true ? "it is over" : value;
}

describe("while a page is open", () => {
	it.each([adminToken, viewerToken])("who has signed in hears what goes on, how far it is, and that it is over", async (token) => {
		const told = listen(world.server.url, await signIn(token));
		expect(await next(told)).toMatchObject({ going: "" });
		world.look = { ...world.look, going: () => [reading()] };
		expect(await next(told)).toMatchObject({
			going: "<p><strong>corp</strong> reading 12,400 of about 100,000 (12 %), for 3.0 s</p>",
		});
		world.look = { ...world.look, going: () => [reading({ stage: "connecting", source: "<b>" })] };
		expect(await next(told)).toMatchObject({ going: "<p><strong>&#60;b&#62;</strong> is being asked, for 3.0 s</p>" });
		world.look = { ...world.look, going: () => [] };
		expect(await next(told)).toMatchObject({ going: "" });
		await told.return(undefined);
	});

	it("hears of another stamp when the page would show something else, and in the next minute", async () => {
		const stamps = new Set<string>();
		const told = listen(world.server.url, await signIn());
		const hear = async (): Promise<void> => {
			const news = await next(told);
			stamps.add(news === "it is over" ? news : news.stamp);
		};
		await hear();
		const [corp, ...others] = world.look.sources();
		world.look = { ...world.look, sources: () => [{ ...(corp as NonNullable<typeof corp>), lastRun: makeRun({ run: 41 }) }, ...others] };
		await hear();
		world.clock += 60_000;
		await hear();
		expect(stamps.size).toBe(3);
		expect(stamps).not.toContain("it is over");
		await told.return(undefined);
	});

	it("has the stamp of what it shows", async () => {
		const cookie = await signIn();
		const told = listen(world.server.url, cookie);
		const news = await next(told);
		const page = await (await fetch(world.server.url, { headers: { cookie } })).text();
		expect(news).toMatchObject({ stamp: /<body data-stamp="([^"]+)">/.exec(page)?.[1] });
		await told.return(undefined);
	});

	it("who has not signed in hears nothing", async () => {
		for (const method of ["GET", "HEAD"]) {
			const answer = await fetch(new URL("/events", world.server.url), { method, headers: { cookie: "dirsyncd=guess" } });
			expect([answer.status, await answer.text()]).toEqual([401, ""]);
		}
	});

	it("hears nothing more once the session is over, which listening does not put off", async () => {
		const cookie = await signIn();
		const told = listen(world.server.url, cookie);
		await next(told);
		world.clock += 1_800_000;
		await next(told);
		// What the page asks by itself counts as little as listening.
		await (await fetch(world.server.url, { headers: { cookie, "x-dirsyncd-live": "1" } })).text();
		world.clock += 1_800_000;
		expect(await next(told)).toBe("it is over");
	});

	it("does not keep the daemon from ending", async () => {
		const told = listen(world.server.url, await signIn());
		await next(told);
		const over = next(told);
		await world.server.close(600_000);
		expect(await over).toBe("it is over");
		world = await openPageWorld();
	});
});
