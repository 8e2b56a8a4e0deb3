import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { adminToken, heldPlanHash, openPageWorld, type PageWorld } from "../support/page-world.ts";
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
			for (const where of ["/runs", "/runs/40", "/people?user=ada@corp.example.com", "/runs/999"]) {
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
