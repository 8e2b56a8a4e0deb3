import type { Movements, People } from "../core/movements.ts";
import { type Block, type Letter, moment, type Stationery } from "./letter.ts";

/** Who joined, moved and left between two instants, Unix milliseconds. */
export function writeReport(from: number, to: number, movements: Movements, stationery: Stationery): Letter {
	const { joined, moved, left } = movements;
	const sum = `${joined.count} joined, ${moved.count} moved, ${left.count} left`;
	return {
		subject: `dirsyncd report: ${sum}`,
		blocks: [
			{ kind: "text", text: `From ${moment(from, stationery)} to ${moment(to, stationery)}: ${sum}.` },
			...tableOf("Joiners", "why", joined),
			...tableOf("Movers", "what changed", moved),
			...tableOf("Leavers", "why", left),
			{ kind: "link", label: "The page", url: stationery.page },
		],
	};
}

function tableOf(heading: string, what: string, { count, first }: People): readonly Block[] {
	if (count === 0) return [];
	return [
		{
			kind: "table",
			heading: `${heading} (${count})`,
			columns: ["name", "user name", "department", "source", what],
			rows: first.map((person) => [person.displayName, person.userName, person.department, person.source, person.what]),
			more: count - first.length,
		},
	];
}
