export type Environment = Readonly<Record<string, string | undefined>>;

export interface Expansion {
	readonly text: string;
	/** Whether a variable was put in. */
	readonly isExpanded: boolean;
	readonly flaws: readonly ExpansionFlaw[];
}

export interface ExpansionFlaw {
	/** As written. */
	readonly value: string;
	readonly message: string;
	readonly remedy: string;
}

/** Puts the environment's values for `${NAME}`; `$${` is a dollar and a brace. */
export function expand(text: string, environment: Environment): Expansion {
	const flaws: ExpansionFlaw[] = [];
	let isExpanded = false;
	const result = text.replaceAll(/(\$?)\$\{([^}]*)(\}?)/g, (whole: string, escaped: string, name: string, close: string) => {
		if (escaped !== "") return `\${${name}${close}`;
		const value = environment[name];
		if (!/^[A-Za-z_]\w*$/.test(name) || close === "") {
			flaws.push({ value: whole, message: "not the name of a variable", remedy: `write \${NAME}, or $\${ for a dollar and a brace` });
		} else if (value === undefined) {
			const remedy = `set ${name} in the environment of dirsyncd, or write the value here`;
			flaws.push({ value: whole, message: `the environment variable ${name} is not set`, remedy });
		} else {
			isExpanded = true;
			return value;
		}
		return whole;
	});
	return { text: result, isExpanded, flaws };
}

/**
 * `${NAME}` with signs in place of its dollar and braces that mean nothing to YAML: within `{ … }` the braces would end the map.
 * Every sign is replaced by one other, so that places stay where they are.
 */
export function shieldVariables(text: string): string {
	return text.replaceAll(/\$\{([\w.-]*)\}/g, "\u{e000}\u{e001}$1\u{e002}");
}

export function unshieldVariables(text: string): string {
	return text.replaceAll(/[\u{e000}-\u{e002}]/gu, (sign) => signs[sign] ?? sign);
}

const signs: Readonly<Record<string, string>> = { "\u{e000}": "$", "\u{e001}": "{", "\u{e002}": "}" };
