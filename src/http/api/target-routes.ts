import { z } from "zod";
import type { Api } from "../api.ts";
import { answer, by, count, said, someName } from "./fields.ts";
import { type ApiScope, deciderOf, deciding } from "./operation.ts";

const params = z.strictObject({ target: said(someName, "The name of a target.") });
const forgotten = z.strictObject({ accounts: count, groups: count });
const found = z.strictObject({
	...{ target: z.string(), same: count, changed: count, missing: count },
	others: said(count.optional(), "Accounts that are not ours; left out: nobody knows."),
	partialBecause: said(z.string().optional(), "Why the target's list was not enough, and each account was asked for."),
});

/** What is known of targets. */
export function addTargetRoutes(scope: ApiScope, api: Api): void {
	const tags = ["targets"];

	scope.post(
		"/targets/:target/forget",
		{
			schema: deciding({
				...{ operationId: "forgetTarget", tags, summary: "Forgets a target, or has one account there matched anew", params },
				description: "A target that is in the configuration can be forgotten of one account alone. Nothing at the target changes by it.",
				body: z.strictObject({ user: said(someName.optional(), "This account alone."), by: said(by.optional(), "Who decides.") }),
				response: { 200: forgotten },
			}),
		},
		async ({ params: { target }, body }) => answer(forgotten, await api.forget(target, body.user, deciderOf(body.by))),
	);
	scope.post(
		"/targets/:target/read-back",
		{
			schema: deciding({
				...{ operationId: "readBackTarget", tags, summary: "Compares what a target has with what was left there", params },
				description: "Then does what the target's readBack.action says. Joins a reading back that is going on, which is no decision then.",
				body: z.strictObject({ by: said(by.optional(), "Who asks for it.") }),
				response: { 200: found },
			}),
		},
		async ({ params: { target }, body }) => found.parse(await api.readBack(target, deciderOf(body.by))),
	);
}
