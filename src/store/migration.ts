/** One step of the schema. Released steps are never edited: their digest is recorded in every database that took them. */
export interface Migration {
	readonly version: number;
	readonly name: string;
	readonly sql: string;
}
