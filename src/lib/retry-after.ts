/** What a Retry-After header says (RFC 9110 §10.2.3), seconds or a date, in milliseconds from now; undefined when it says nothing. */
export function retryAfter(text: string | undefined, now: number): number | undefined {
	if (text === undefined) return undefined;
	if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Math.ceil(Number(text) * 1000);
	const at = Date.parse(text);
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** X-RateLimit-Reset and its like, of which no standard says whether it is seconds from now or Unix seconds or milliseconds. */
export function rateLimitReset(text: string | undefined, now: number): number | undefined {
	if (text === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(text)) return retryAfter(text, now);
	const value = Number(text);
	if (value > 1e11) return Math.max(0, value - now);
	return value > 1e8 ? Math.max(0, value * 1000 - now) : Math.ceil(value * 1000);
}
