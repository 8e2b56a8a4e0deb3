import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { adminToken, disabling, heldPlan, heldPlanHash, makeRun, openPageWorld, type PageWorld } from "../support/page-world.ts";
import { describeWith } from "../support/require.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** Where to leave pictures for who wants to look; none otherwise. */
const pictures = process.env["DIRSYNCD_TEST_PICTURES"];

interface Look {
	readonly name: string;
	readonly colorScheme: "light" | "dark";
	readonly width: number;
}

const looks: readonly Look[] = [
	{ name: "light", colorScheme: "light", width: 1280 },
	{ name: "dark", colorScheme: "dark", width: 1280 },
	{ name: "narrow", colorScheme: "light", width: 400 },
	{ name: "narrow and dark", colorScheme: "dark", width: 400 },
];

describeWith(["chromium"], "the page in a browser", () => {
	let browser: Browser;
	let world: PageWorld;
	let context: BrowserContext;
	let page: Page;
	let asked: string[];

	beforeAll(async () => {
		// Chromium's own sandbox refuses root; what is shown is ours alone.
		browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
	}, 60_000);
	afterAll(() => browser.close());

	beforeEach(async () => {
		world = await openPageWorld();
	});
	afterEach(async () => {
		await context.close();
		await world.server.close(0);
	});

	async function open({ colorScheme, width }: Omit<Look, "name">, isScripted = true): Promise<void> {
		// The policy that the page itself has is for axe alone to be passed by; without scripts nothing is put in.
		context = await browser.newContext({
			colorScheme,
			viewport: { width, height: 900 },
			javaScriptEnabled: isScripted,
			bypassCSP: isScripted,
		});
		asked = [];
		context.on("request", (request) => asked.push(new URL(request.url()).origin));
		page = await context.newPage();
		await page.goto(world.server.url);
	}

	async function signIn(): Promise<void> {
		await page.getByLabel("Token").fill(adminToken);
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("heading", { name: "Waits for a decision" }).waitFor();
	}

	/** What axe finds wrong, in its words, with where. */
	async function violations(): Promise<readonly string[]> {
		await page.evaluate(axe);
		return page.evaluate(async () => {
			const { violations } = await (globalThis as unknown as { axe: typeof import("axe-core") }).axe.run();
			return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
		});
	}

	async function picture(name: string): Promise<void> {
		if (pictures === undefined) return;
		mkdirSync(pictures, { recursive: true });
		await page.screenshot({ path: path.join(pictures, `${name.replaceAll(" ", "-")}.png`), fullPage: true });
	}

	it.each(looks)(
		"is accessible, fits its width, and asks no other host: $name",
		async (look) => {
			await open(look);
			const check = async (what: string): Promise<void> => {
				await picture(`${look.name} ${what}`);
				expect(await violations(), what).toEqual([]);
				expect(await page.evaluate<number>("document.documentElement.scrollWidth"), what).toBeLessThanOrEqual(look.width);
			};
			await check("open");
			await signIn();
			await check("overview");
			for (const where of ["/runs", "/runs/40", "/runs/40/revert", "/accounts", "/people?user=ada@corp.example.com", "/runs/999"]) {
				await page.goto(new URL(where, world.server.url).href);
				await check(where.replaceAll(/[/?]/g, "-"));
			}
			expect([...new Set(asked)]).toEqual([new URL(world.server.url).origin]);
		},
		60_000,
	);

	it("without scripts, by keyboard alone: sign in, see who is held, read why, approve, sign out", async () => {
		await open({ colorScheme: "light", width: 1280 }, false);
		await page.getByLabel("Token").focus();
		await page.keyboard.type(adminToken);
		await page.keyboard.press("Enter");
		await page.getByText("2 changes held at corp").waitFor();
		await page.getByRole("searchbox").focus();
		await page.keyboard.type("ada@corp.example.com");
		await page.keyboard.press("Enter");
		await page.getByText("ada@corp.example.com is to be disabled, and that waits for approval.").waitFor();
		await page.getByRole("link", { name: "Overview" }).press("Enter");
		await page.getByRole("button", { name: "Approve" }).press("Enter");
		await page.getByRole("heading", { name: "Run 41 of corp" }).waitFor();
		expect(world.decided).toEqual([{ approve: heldPlanHash, by: "page" }]);
		await page.getByRole("link", { name: "Overview" }).press("Enter");
		await page.getByText("Nothing is held.").waitFor();
		await page.getByRole("button", { name: "Sign out" }).press("Enter");
		await page.getByLabel("Token").waitFor();
		expect((await context.cookies()).map(({ name }) => name)).toEqual([]);
	}, 60_000);

	it("who has signed in and follows a link in a mail is one click away from where it leads", async () => {
		await open({ colorScheme: "light", width: 1280 });
		await signIn();
		const mail = createServer((_request, response) => {
			response.setHeader("content-type", "text/html").end(`<a href="${world.server.url}/runs/40">Look at run 40</a>`);
		});
		await new Promise<void>((resolve) => mail.listen(0, "127.0.0.1", resolve));
		try {
			// By another name: another site, as a mail program on the web is.
			await page.goto(`http://localhost:${(mail.address() as AddressInfo).port}/`);
			await page.getByRole("link", { name: "Look at run 40" }).click();
			await page.getByRole("link", { name: "go on" }).click();
			await page.getByRole("heading", { name: "Run 40 of corp" }).waitFor();
		} finally {
			mail.closeAllConnections();
			mail.close();
		}
	}, 60_000);

	/** The page as browsers have it, its policy in force. */
	async function openAsItIs(): Promise<void> {
		context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
		page = await context.newPage();
		await page.goto(world.server.url);
		await signIn();
	}

	const lastRunIs = (run: number): void => {
		const [corp] = world.look.sources();
		if (corp === undefined) throw new Error("the company has a source");
		const was = world.look;
		world.look = {
			...was,
			sources: () => [{ ...corp, lastRun: makeRun({ run }) }],
			runs: (limit, before) => [makeRun({ run }), ...was.runs(limit, before)],
		};
	};

	it("shows what goes on while it does, and what came of it, by itself", async () => {
		await openAsItIs();
		world.look = { ...world.look, going: () => [{ source: "corp", stage: "reading", done: 512, of: 1024, since: world.clock }] };
		await page.getByText("corp reading 512 of about 1,024 (50 %)").waitFor();
		await picture("a run goes on");
		world.look = { ...world.look, going: () => [] };
		lastRunIs(77);
		await page.getByRole("region", { name: "Sources" }).getByRole("link", { name: "run 77" }).waitFor();
		await page.getByText("corp reading").waitFor({ state: "detached" });
	}, 60_000);

	it("never puts another plan beneath the pointer: it says that what waits has changed", async () => {
		await openAsItIs();
		const other = `sha256:${"cd".repeat(32)}`;
		world.look = { ...world.look, heldBriefly: () => [{ ...heldPlan([disabling("eve@corp.example.com")]), plan: other }] };
		lastRunIs(78);
		await page.getByText("What waits for a decision has changed.").waitFor();
		await page.getByRole("region", { name: "Sources" }).getByRole("link", { name: "run 78" }).waitFor();
		expect(await page.getByText(heldPlanHash).count()).toBe(1);
		expect(await page.getByText("eve@corp.example.com").count()).toBe(0);
		await picture("what waits has changed");
		await page.getByRole("link", { name: "Show it" }).click();
		await page.getByText("eve@corp.example.com").waitFor();
		expect(await page.getByText("What waits for a decision has changed.").isVisible()).toBe(false);
	}, 60_000);

	it("a click on what has only just moved does nothing, one a moment later does", async () => {
		await openAsItIs();
		await page.clock.install();
		await page.clock.pauseAt(Date.now() + 60_000);
		lastRunIs(79);
		await page.getByRole("region", { name: "Sources" }).getByRole("link", { name: "run 79" }).waitFor();
		const approve = page.getByRole("button", { name: "Approve" });
		await approve.click();
		expect(world.decided).toEqual([]);
		await page.clock.runFor(1000);
		await approve.click();
		await page.getByRole("heading", { name: "Run 41 of corp" }).waitFor();
		expect(world.decided).toEqual([{ approve: heldPlanHash, by: "page" }]);
	}, 60_000);

	it("leaves alone what somebody is in the middle of", async () => {
		await openAsItIs();
		const link = page.getByRole("region", { name: "Sources" }).getByRole("link", { name: "run 40" });
		await link.focus();
		lastRunIs(80);
		// The part beside it is made anew.
		await page.getByRole("region", { name: "Runs" }).getByRole("link", { name: "run 80" }).waitFor();
		expect(await link.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
		await link.blur();
		await page.getByRole("region", { name: "Sources" }).getByRole("link", { name: "run 80" }).waitFor();
	}, 60_000);

	/** What the page asks for by itself. */
	function askedByItself(): readonly string[] {
		const urls: string[] = [];
		page.on("request", (request) => {
			if (request.headers()["x-dirsyncd-live"] !== undefined) urls.push(new URL(request.url()).pathname);
		});
		return urls;
	}

	/** What the page asked for before is known then. */
	const askOnce = () => page.evaluate("fetch('/health').then(({ status }) => status)");

	it.each(["/runs/40/revert", "/people?user=ada@corp.example.com"])(
		"%s, where nothing is made anew, is not asked for again and again, which the engine would have to answer",
		async (where) => {
			await openAsItIs();
			await page.goto(new URL(where, world.server.url).href);
			const asked = askedByItself();
			lastRunIs(81);
			world.look = { ...world.look, going: () => [{ source: "corp", stage: "connecting", done: 0, of: undefined, since: world.clock }] };
			await page.getByText("corp is being asked").waitFor();
			await askOnce();
			expect(asked).toEqual([]);
		},
		60_000,
	);

	it("asks again only now and then while somebody is in the middle of something, or nothing comes of it", async () => {
		context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
		page = await context.newPage();
		await page.clock.install();
		await page.goto(world.server.url);
		await signIn();
		await page.clock.pauseAt(Date.now() + 60_000);
		await page.getByRole("region", { name: "Sources" }).getByRole("link", { name: "run 40" }).focus();
		const asked = askedByItself();
		lastRunIs(84);
		await page.getByRole("region", { name: "Runs" }).getByRole("link", { name: "run 84" }).waitFor();
		await page.clock.runFor(9000);
		await askOnce();
		expect(asked).toEqual(["/"]);
		await page.clock.runFor(9000);
		await askOnce();
		expect(asked).toEqual(["/", "/"]);
	}, 60_000);

	it("asks once at a time, however long the answer takes", async () => {
		context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
		page = await context.newPage();
		await page.clock.install();
		await page.goto(world.server.url);
		await signIn();
		const [isAsked, mayAnswer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		await page.route(`${world.server.url}/`, async (route) => {
			isAsked.resolve();
			await mayAnswer.promise;
			await route.continue();
		});
		const asked = askedByItself();
		lastRunIs(82);
		await isAsked.promise;
		await page.clock.runFor(10_000);
		await askOnce();
		expect(asked).toEqual(["/"]);
		mayAnswer.resolve();
		const sources = page.getByRole("region", { name: "Sources" });
		await sources.getByRole("link", { name: "run 82" }).waitFor();
		lastRunIs(83);
		await sources.getByRole("link", { name: "run 83" }).waitFor();
	}, 60_000);

	it("says that dirsyncd does not answer, and shows the way in again when it is back", async () => {
		await openAsItIs();
		const { port } = new URL(world.server.url);
		await world.server.close(0);
		await page.getByText("dirsyncd does not answer").waitFor();
		// Another process on the same port: nobody is signed in there.
		world = await openPageWorld({ listen: { host: "127.0.0.1", port: Number(port) } });
		await page.getByLabel("Token").waitFor({ timeout: 50_000 });
	}, 60_000);

	it("sends what was decided once, however often the button is pressed", async () => {
		const [sent, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
		const { approve } = world.api;
		world.api = {
			...world.api,
			approve: async (plan, by) => {
				sent.resolve();
				await answered.promise;
				return approve(plan, by);
			},
		};
		await openAsItIs();
		const { x, y, width, height } = (await page.getByRole("button", { name: "Approve" }).boundingBox()) ?? {
			x: 0,
			y: 0,
			width: 0,
			height: 0,
		};
		const press = () => page.mouse.click(x + width / 2, y + height / 2);
		await press();
		await sent.promise;
		await press();
		answered.resolve();
		await page.getByRole("heading", { name: "Run 41 of corp" }).waitFor();
		expect(world.decided).toHaveLength(1);
	}, 60_000);

	it("its own policy runs no script, not even one that gets in", async () => {
		await open({ colorScheme: "light", width: 1280 });
		await context.close();
		context = await browser.newContext();
		page = await context.newPage();
		await page.goto(world.server.url);
		const said: string[] = [];
		page.on("console", (message) => said.push(message.text()));
		await page.evaluate(
			`document.body.append(Object.assign(document.createElement("script"), { textContent: "document.title = 'taken over'" }))`,
		);
		expect(await page.title()).not.toBe("taken over");
		expect(said.join()).toContain("Content Security Policy");
	}, 60_000);
});
