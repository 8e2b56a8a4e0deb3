import type { AccountChange, Change, ChangeFormat, GroupChange } from "./change.ts";
import { type Attributes, dnValue, ldifLine, ldifLines, unfold } from "./ldif.ts";
import { makeEntries, NOBODY } from "./ldif-entries.ts";
import type { FileTable } from "./options.ts";

/**
 * LDIF change records (RFC 2849). A change may take several, since a DN that changes takes one of its own: each says in comments
 * whose change it is, and which of how many.
 */
export function makeLdifChanges(base: string, file: FileTable): ChangeFormat {
	const entries = makeEntries(base, (anchor) => file.userName(anchor));

	const ofAccount = ({ before, after }: AccountChange): readonly string[] => {
		const [from, to] = [before, after].map((side) => side && entries.personDn(side.account.userName));
		const left = before?.groups ?? [];
		if (before === undefined || from === undefined) return after === undefined || to === undefined ? [] : [add(to, entries.person(after))];
		if (after === undefined || to === undefined) {
			return [
				...left.map((group) => modify(entries.groupDn(group), change("delete", "member", [from]))),
				`${ldifLine("dn", from)}changetype: delete\n`,
			];
		}
		const renamed = from === to ? [] : [rename(from, `uid=${dnValue(after.account.userName)}`)];
		// Servers need not keep references intact: each group is told the new DN.
		const members = left.map((group) => modify(entries.groupDn(group), change("delete", "member", [from]) + change("add", "member", [to])));
		return [...renamed, ...(from === to ? [] : members), ...modified(to, entries.person(before), entries.person(after), "uid")];
	};

	const ofGroup = ({ before, after, added, removed }: GroupChange): readonly string[] => {
		const dns = (members: GroupChange["added"]) =>
			members.flatMap(({ userName }) => (userName === undefined ? [] : [entries.personDn(userName)]));
		const [come, go] = [dns(added), dns(removed)];
		if (before === undefined) {
			if (after === undefined) return [];
			// Nobody stays in it, so that the last member can leave.
			return [add(entries.groupDn(after.displayName), [...entries.group(after), ["member", [NOBODY, ...come]]])];
		}
		const from = entries.groupDn(before.displayName);
		if (after === undefined) return [`${ldifLine("dn", from)}changetype: delete\n`];
		const to = entries.groupDn(after.displayName);
		const members = [
			...(come.length > 0 ? [change("add", "member", come)] : []),
			...(go.length > 0 ? [change("delete", "member", go)] : []),
		];
		return [
			...(from === to ? [] : [rename(from, `cn=${dnValue(after.displayName)}`)]),
			...modified(to, entries.group(before), entries.group(after), "cn"),
			...(members.length > 0 ? [modify(to, members.join(""))] : []),
		];
	};

	return {
		head: "version: 1\n\n",
		text: (told) => numbered(told, told.subject === "account" ? ofAccount(told) : ofGroup(told)),
		read: readChanges,
	};
}

function add(dn: string, attributes: Attributes): string {
	return `${ldifLine("dn", dn)}changetype: add\n${ldifLines(attributes)}`;
}

function rename(dn: string, rdn: string): string {
	return `${ldifLine("dn", dn)}changetype: modrdn\n${ldifLine("newrdn", rdn)}deleteoldrdn: 1\n`;
}

function modify(dn: string, changes: string): string {
	return `${ldifLine("dn", dn)}changetype: modify\n${changes}`;
}

function change(how: "add" | "delete" | "replace", attribute: string, values: readonly string[]): string {
	return `${how}: ${attribute}\n${ldifLines([[attribute, values]])}-\n`;
}

/** `named`: the attribute in the DN, which changes with it. None where nothing differs. */
function modified(dn: string, before: Attributes, after: Attributes, named: string): readonly string[] {
	const [was, is] = [new Map(before), new Map(after)];
	const names = [...new Set([...was.keys(), ...is.keys()])].filter((name) => name !== named && name !== "objectClass");
	const changes = names.flatMap((name) => {
		const values = is.get(name) ?? [];
		return JSON.stringify(values) === JSON.stringify(was.get(name) ?? []) ? [] : [change("replace", name, values)];
	});
	return changes.length > 0 ? [modify(dn, changes.join(""))] : [];
}

function numbered({ at, key, anchor }: Change, records: readonly string[]): string {
	const comments = `# time: ${new Date(at).toISOString()}\n${ldifLine("# anchor", anchor)}${ldifLine("# key", key)}`;
	return records.map((record, index) => `${comments}# record: ${index + 1} of ${records.length}\n${record}\n`).join("");
}

function readChanges(text: string, isStart: boolean): ReturnType<ChangeFormat["read"]> {
	const head = /^version: 1\n\n/.exec(text);
	if (isStart && head === null) return undefined;
	const keys: string[] = [];
	let length = isStart ? (head as RegExpExecArray)[0].length : 0;
	// A record ends with an empty line, and has none within it.
	const record = /(?:[^\n]+\n)+\n/y;
	record.lastIndex = length;
	for (let match = record.exec(text); match !== null; match = record.exec(text)) {
		const lines = unfold(match[0]);
		const [, colons, value] = /^# key(::?) ?(.*)$/m.exec(lines) ?? [];
		const [, number, count] = /^# record: (\d+) of (\d+)$/m.exec(lines) ?? [];
		if (value === undefined || number === undefined) return undefined;
		if (number !== count) continue;
		keys.push(colons === "::" ? Buffer.from(value, "base64").toString("utf8") : value);
		length = record.lastIndex;
	}
	return { keys, length };
}
