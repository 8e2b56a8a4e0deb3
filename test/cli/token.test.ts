import { expect, it } from "vitest";
import { say } from "./world.ts";

it.each([
	{ argv: ["token"], out: "token-of-the-daemon\n" },
	{ argv: ["token", "--viewer"], out: "token-of-viewers\n" },
	{ argv: ["token", "--json"], out: '{"role":"operator","token":"token-of-the-daemon"}\n' },
	{ argv: ["token", "--viewer", "--json"], out: '{"role":"viewer","token":"token-of-viewers"}\n' },
])("$argv prints the token and nothing else, for who may read it", async ({ argv, out }) => {
	expect(await say(argv)).toMatchObject({ code: 0, out, err: "" });
});
