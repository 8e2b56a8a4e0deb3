/** What mails need to know, checked and complete. */
export interface SmtpOptions {
	readonly name: string;
	readonly host: string;
	readonly port: number;
	/** `starttls`: nothing is sent before the connection is secured. */
	readonly tls: "starttls" | "tls" | "none";
	/** PEM text of a private authority's certificates. */
	readonly ca: string | undefined;
	/** The password is asked for when it is needed. */
	readonly auth: { readonly user: string; readonly password: () => string } | undefined;
	readonly from: Address;
	readonly to: readonly Address[];
}

interface Address {
	readonly name: string;
	readonly address: string;
}
