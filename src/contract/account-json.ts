import type { PinRecord } from "../core/pin.ts";
import { instant } from "../lib/instant.ts";
import type { AccountView, GroupView, MemberView } from "../store/views.ts";

/** One line of `accounts --json`: the fields of the contract in its order, those without a value left out. */
export function accountJson({ source, anchor, account, groups, pins, targets }: AccountView) {
	const { userName, displayName, name, emails, active, title, department, phoneNumbers, manager, employeeNumber, features, policies } =
		account;
	return {
		...{ source, anchor, userName, displayName, name, emails, active, title, department, phoneNumbers, manager, employeeNumber },
		groups: groups.length > 0 ? groups : undefined,
		...{ features, policies },
		pins: pins.length > 0 ? pins.map(pinJson) : undefined,
		targets: Object.fromEntries(
			Object.entries(targets).map(([target, { state, remoteId, error }]) => [target, { state, remoteId, error }]),
		),
	};
}

/** What is kept of an account against the directory's word. */
export function pinJson({ part, kept, run, by, at }: PinRecord) {
	return { part, kept: JSON.parse(kept) as unknown, run, by, at: instant(at) };
}

/** One line of `groups --json`, without the members. */
export function groupJson({ source, anchor, group, memberCount, targets }: GroupView) {
	const { displayName, description, email } = group;
	return { source, anchor, displayName, description, email, memberCount, targets };
}

/** A member as `groups --json` has it. */
export function memberJson({ anchor, userName }: Pick<MemberView, "anchor" | "userName">) {
	return { anchor, userName };
}
