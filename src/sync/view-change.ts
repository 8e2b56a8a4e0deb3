import type { SourceState } from "../store/snapshot.ts";

/** Whose eyes, and for whom they look; `identity` undefined: that cannot be told, and is taken for the same. */
export interface View {
	readonly identity: string | undefined;
	readonly scope: string;
}

/** Why what is seen of people is not comparable with what was seen, by what the configuration asks for, if so (invariant 5). */
export function whyViewChanged({ identity, scope }: View, state: SourceState): string | undefined {
	if (identity !== undefined && state.identity !== undefined && state.identity !== identity) {
		return "another account reads the directory than at the last reading";
	}
	return isAnotherScope(scope, state) ? "the scope in the configuration is another than at the last reading" : undefined;
}

/** Whether other people are asked for than at the last reading. */
export function isAnotherScope(scope: string, state: SourceState): boolean {
	return state.scope !== undefined && state.scope !== scope;
}
