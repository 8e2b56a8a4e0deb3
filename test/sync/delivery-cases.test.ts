import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../src/core/errors.ts";
import { forget } from "../../src/sync/forget.ts";
import { readBackAndAct } from "../../src/sync/repair.ts";
import type { DeliveryResult } from "../../src/target/target.ts";
import {
	anchor,
	at,
	begin,
	end,
	fake,
	group,
	harness,
	idOf,
	later,
	membersAt,
	never,
	open,
	put,
	remote,
	stateOf,
	viewed,
	way,
} from "../support/one-remote.ts";

beforeEach(begin);
afterEach(end);

describe("a leaver", () => {
	it("is disabled although the target refuses another field of theirs", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		way.around = async ({ wanted, applied, remoteId }, work) =>
			remoteId !== undefined && wanted?.displayName?.includes("\u{1F600}") && applied?.displayName !== wanted.displayName
				? { kind: "refused", error: "400 displayName: no such letters" }
				: work();
		put(1, { cn: "P1 \u{1F600}" });
		await harness.sync("full");
		expect(stateOf(1)).toMatchObject({ state: "failed" });
		put(1, { cn: "P1 \u{1F600}", standing: "disabled" });
		await later();
		expect(at(1)?.active).toBe(false);
	});

	it("is disabled at least, where the target deletes nobody", async () => {
		open({}, { lifecycle: { onDisabled: "disable", onOutOfScope: "disable", onDeleted: "delete", deleteAfterMs: undefined } });
		put(1);
		put(2);
		await harness.sync("full");
		way.around = async ({ wanted }, work) => (wanted === undefined ? { kind: "refused", error: "405 no DELETE" } : work());
		fake.remove(anchor(1), true);
		await later();
		expect(at(1)?.active ?? false).toBe(false);
	});

	it("is not put off by the answer to what was wanted before", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		remote.faults.refuse.add(anchor(1));
		put(1, { cn: "P1 again" });
		await later(9);
		remote.faults.refuse.clear();
		// The next try is under way when the person leaves.
		const underway = Promise.withResolvers<void>();
		const release = Promise.withResolvers<void>();
		way.around = async ({ anchor: whose }, work) => {
			if (whose !== anchor(1)) return work();
			way.around = (_, next) => next();
			underway.resolve();
			await release.promise;
			return { kind: "refused", error: "400 once more" };
		};
		harness.time.now += 24 * 3_600_000;
		const delivering = harness.context.deliveries.settle(never, () => {});
		await underway.promise;
		put(1, { cn: "P1 again", standing: "disabled" });
		const run = harness.sync("full");
		await new Promise((resolve) => setTimeout(resolve, 100));
		release.resolve();
		await Promise.all([delivering, run]);
		harness.time.now += 60_000;
		await harness.sync("delta");
		expect(at(1)?.active).toBe(false);
	});

	it("who is enabled at the target by somebody again and again is disabled by every reading back", async () => {
		put(1, { standing: "disabled" });
		put(2);
		await harness.sync("full");
		const { session, clock } = harness.context;
		for (let night = 0; night < 3; night++) {
			const kept = remote.accounts.get(idOf(1));
			if (kept !== undefined) kept.account = { ...kept.account, active: true };
			await readBackAndAct({ session, target: remote.target, action: "repair", clock }, never);
			await harness.context.deliveries.settle(never, () => {});
			expect(at(1)?.active).toBe(false);
		}
	});
});

describe("an account that we made", () => {
	it("stays ours when its id at the target becomes another one", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		const id = idOf(1);
		const kept = remote.accounts.get(id);
		if (kept === undefined) throw new Error("not there");
		// Restored from a backup, or an id that follows the name: the externalId is kept.
		remote.accounts.delete(id);
		remote.accounts.set("restored", kept);
		put(1, { standing: "disabled" });
		await later();
		expect(stateOf(1)).toMatchObject({ state: "applied" });
		expect(at(1)?.active).toBe(false);
	});

	it("stays ours when the lost create is still under way at the next look, and the second one finds the name taken", async () => {
		let looks = 0;
		open({}, {}, (target) => ({
			...target,
			// It arrived, but is not to be seen yet.
			find: async (whose, wanted, signal) => (whose === anchor(1) && ++looks <= 2 ? undefined : target.find(whose, wanted, signal)),
		}));
		put(1);
		put(2);
		way.around = async ({ anchor: whose }, work) => {
			const result = await work();
			if (whose !== anchor(1)) return result;
			way.around = (_, next) => next();
			throw new Failure("TARGET_UNREACHABLE", "killed");
		};
		await harness.sync("full");
		await later();
		expect(remote.accounts.size).toBe(2);
		expect(stateOf(1)).toMatchObject({ state: "applied" });
	});

	it("and forgot is matched anew, as `forget --help` says", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		const { session } = harness.context;
		forget({ session, configured: ["accounts", "remote"], clock: () => harness.time.now }, "remote", "p1@corp", "tester");
		put(1, { standing: "disabled" });
		await later();
		expect(stateOf(1)).toMatchObject({ state: "applied" });
		expect(at(1)?.active).toBe(false);
	});
});

describe("a manager", () => {
	it("who was adopted is told to those who came before", async () => {
		open({ managerBy: "remote-id", lanes: 1 }, { adopt: "exact" });
		for (let who = 1; who <= 20; who++) put(who);
		remote.accounts.set("boss", { anchor: undefined, account: { userName: "p20@corp", active: true } });
		put(1, { manager: 20 });
		await harness.sync("full");
		await later();
		expect(viewed()).toMatchObject({ pending: 0 });
		expect(at(1)?.manager).toBe("boss");
	});
});

describe("groups", () => {
	it("that a target does not keep are not pending there for ever", async () => {
		open({}, {}, (target) => ({ ...target, groups: undefined }));
		put(1);
		group([1]);
		expect((await harness.sync("full")).pending).toBe(0);
		expect(harness.context.deliveries.nextDue()).toBeUndefined();
	});

	it("lose who is not in them any more, although their new name is refused", async () => {
		put(1);
		put(2);
		group([1, 2]);
		await harness.sync("full");
		expect(membersAt()).toEqual([[idOf(1), idOf(2)]]);
		const { groups } = remote.target;
		if (groups === undefined) throw new Error("no groups");
		const { apply } = groups;
		Object.assign(groups, {
			apply: async (delivery: Parameters<typeof apply>[0], signal: AbortSignal): Promise<DeliveryResult> =>
				delivery.wanted?.displayName === "Taken" && delivery.applied?.displayName !== "Taken"
					? { kind: "refused", error: "409 displayName is taken" }
					: apply(delivery, signal),
		});
		group([2], "Taken");
		await later();
		expect(membersAt()).toEqual([[idOf(2)]]);
	});

	it("take in who has just come, although another member was refused", async () => {
		put(1);
		put(2);
		put(3);
		remote.faults.refuse.add(anchor(3));
		group([1]);
		await harness.sync("full");
		const { groups } = remote.target;
		if (groups === undefined) throw new Error("no groups");
		const { apply } = groups;
		Object.assign(groups, {
			apply: async (delivery: Parameters<typeof apply>[0], signal: AbortSignal): Promise<DeliveryResult> =>
				delivery.added.some((member) => member.anchor === anchor(2))
					? { kind: "refused", error: "400 not this one" }
					: apply(delivery, signal),
		});
		// 2 is refused as a member, over and over; 3 is not there yet.
		group([1, 2, 3]);
		await later(8);
		remote.faults.refuse.clear();
		put(3, { cn: "P3 new" });
		await harness.sync("delta");
		expect(at(3)).toBeDefined();
		harness.time.now += 600_000;
		await harness.sync("delta");
		expect(membersAt()).toEqual([[idOf(1), idOf(3)]]);
	});

	it("that are refused are seen in status, health and metrics", async () => {
		put(1);
		group([1]);
		remote.faults.refuse.add(anchor(1001));
		await harness.sync("full");
		expect(harness.context.deliveries.countPending()).toBe(1);
		expect(viewed()).toMatchObject({ pending: 1, failed: 1 });
	});
});

describe("trouble", () => {
	it("with a dozen accounts does not keep a leaver among them, nor anybody's creation or groups, for hours", async () => {
		// As the SCIM target does: five in a row, and it is the server.
		let inVain = 0;
		for (let who = 1; who <= 40; who++) put(who);
		await harness.sync("full");
		way.around = async (delivery, work) => {
			const isBad = Number.parseInt(delivery.anchor.slice(0, 8), 16) <= 20;
			if (!isBad) {
				inVain = 0;
				return work();
			}
			if (++inVain < 5) return { kind: "later", error: "500 null pointer" };
			inVain = 0;
			throw new Failure("TARGET_UNREACHABLE", "does not do what it is asked: 500 null pointer");
		};
		for (let who = 1; who <= 20; who++) put(who, { cn: `P${who} new` });
		put(40, { cn: "P40 new" });
		put(41);
		group([40]);
		// Two hours, looked at every five seconds as the daemon does.
		await harness.sync("full");
		for (let at = 0; at < (2 * 3600) / 5; at++) {
			harness.time.now += 5000;
			const due = harness.context.deliveries.nextDue();
			if (due !== undefined && due <= harness.time.now) await harness.context.deliveries.settle(never, () => {});
		}
		expect({ update: at(40)?.displayName, create: at(41)?.displayName, groups: membersAt() }).toEqual({
			update: "P40 new",
			create: "P41",
			groups: [[idOf(40)]],
		});
	});

	it("is not believed to last for ever", async () => {
		put(1);
		put(2);
		await harness.sync("full");
		remote.faults.down = new Failure("TARGET_UNREACHABLE", "429", { retryAfterMs: 1000 * 3_600_000 });
		put(1, { standing: "disabled" });
		await harness.sync("full");
		remote.faults.down = undefined;
		await later(7);
		expect(at(1)?.active).toBe(false);
	});
});
