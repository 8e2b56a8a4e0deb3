import { Failure } from "../core/errors.ts";
import { endOf, startOf } from "../lib/instant.ts";
import type { Span } from "../store/log-reader.ts";
import type { Input, Option } from "./command.ts";

/** The options that choose a time. */
export const spanOptions: Readonly<Record<string, Option>> = {
	from: { kind: "value", placeholder: "DATE", summary: "from this day (2026-11-01, in UTC) or instant (2026-11-01T09:00:00+01:00) on" },
	to: { kind: "value", placeholder: "DATE", summary: "up to this day, it included, or before this instant" },
};

/** The time that was asked for. Throws USAGE. */
export function spanOf({ values }: Input): Span {
	const [from, to] = [values.get("from"), values.get("to")];
	const span = {
		from: from === undefined ? undefined : (startOf(from) ?? refuse("--from", from)),
		to: to === undefined ? undefined : (endOf(to) ?? refuse("--to", to)),
	};
	if (span.from !== undefined && span.to !== undefined && span.from >= span.to) {
		throw new Failure("USAGE", `--from ${from} is not before --to ${to}`, {
			hint: "Give the earlier one as --from; a day as --to is included.",
		});
	}
	return span;
}

function refuse(option: string, text: string): never {
	const lacksZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text);
	const hint = lacksZone
		? `say of which zone it is: ${text}Z for UTC, or ${text}+01:00`
		: "write a day as 2026-11-01, or an instant with its zone as 2026-11-01T09:00:00Z";
	throw new Failure("USAGE", `${option} is ${lacksZone ? "an instant without a zone" : "no date"}: ${JSON.stringify(text)}`, { hint });
}
