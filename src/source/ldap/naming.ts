/** How many of one name are found: more are no help to who asks. */
export const MOST = 10;

/** Whether anybody can be called so. Samba reads a name no further than to a zero octet (measured), and would find somebody else. */
export function isName(user: string): boolean {
	return user.trim() !== "" && !user.includes("\0");
}
